// Glyphs by the icon a kind declares, drawn around 0,0 within 16 by 16.

import { s } from "./dom.js";

const PATHS = {
  bin: "M-5-4h10M-2-4v-2h4v2M-4-4l.7 10h6.6L4-4M-1.3-1v4.500M1.300-1v4.500",
  light: "M-3.500-1a3.500 3.500 0 1 1 7 0c0 2-1.500 2.500-1.500 4h-4c0-1.500-1.500-2-1.500-4zM-1.500 5.500h3",
  drone: "M-4-4l8 8M4-4l-8 8M-4-6.200a2.200 2.200 0 1 0 .01 0M4-6.200a2.200 2.200 0 1 0 .01 0M-4 1.800a2.200 2.200 0 1 0 .01 0M4 1.800a2.200 2.200 0 1 0 .01 0",
  device: "M-4-4h8v8h-8z",
};

export const icon = (name) => s("path", { class: "icon", d: PATHS[name] ?? PATHS.device });

export const badge = (name, status) =>
  s("svg", { class: `badge is-${status}`, viewBox: "-11 -11 22 22", "aria-hidden": "true" }, s("circle", { r: 10 }), icon(name));
