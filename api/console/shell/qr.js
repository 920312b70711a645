// A QR code: one path of squares; readers want dark on light in any theme, and a margin.

import { s } from "./dom.js";

export async function qr(text, label) {
  const { encode } = await import("../vendor/uqr.js");
  const { size, data } = encode(text);
  const squares = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return s("svg", { class: "qr", viewBox: `-2 -2 ${size + 4} ${size + 4}`, role: "img", "aria-label": label },
    s("rect", { x: -2, y: -2, width: size + 4, height: size + 4, fill: "#fff" }), s("path", { d: squares, fill: "#000" }));
}
