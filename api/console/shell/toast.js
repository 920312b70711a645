// A short word about what was done, with a way to undo it. It goes by itself, later where there is a button; what is
// returned takes it away at once.

import { $, h } from "./dom.js";

const READ_MS = 4000;
const DECIDE_MS = 10_000;

export function toast(text, { action, label, failed = false } = {}) {
  const gone = () => shown.remove();
  const shown = h("p", { class: `toast${failed ? " failed" : ""}` }, h("span", {}, text),
    action && h("button", { type: "button", onclick: () => (gone(), action()) }, label));
  $("toasts").append(shown);
  setTimeout(gone, action || failed ? DECIDE_MS : READ_MS);
  return gone;
}
