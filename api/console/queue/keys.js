// The desk by keyboard. Letters are those of the key, so that they work on an Arabic keyboard too.

import { openDialog } from "../shell/dialog.js";
import { $, h } from "../shell/dom.js";
import { t } from "../shell/i18n.js";

const KEYS = ["j", "k", "o", "a", "s", "c", "w", "x", "/", "u", "?", "escape"];
const MEANT = { j: "next", k: "previous", o: "open", enter: "open", a: "acknowledge", s: "silence", c: "comment", w: "work", x: "choose", "/": "search", u: "undo", "?": "help", escape: "back" };

// `acts`: a function for each of what is meant.
export function startKeys(acts) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"jk".includes(event.key)) return;
    if (document.querySelector("dialog[open]") || isTyping(event.target)) return;
    const act = MEANT[letterOf(event)];
    // A button or a link that has the focus is pressed by Enter as everywhere.
    if (!act || (event.key === "Enter" && event.target.closest("button, a, summary, input"))) return;
    event.preventDefault();
    acts[act]();
  });
}

function letterOf({ key, code }) {
  const pressed = key.toLowerCase();
  if (MEANT[pressed]) return pressed;
  if (/^[a-z]$/.test(pressed)) return pressed;
  if (key === "؟") return "?";
  return /^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : pressed;
}

const isTyping = (element) => element.matches?.("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])");

export function openKeys() {
  openDialog({
    title: t("keys"),
    body: h("dl", { class: "keys" }, KEYS.map((key) => h("div", {}, h("dt", {}, h("kbd", {}, key === "escape" ? "Esc" : key)), h("dd", {}, t(`key_${MEANT[key]}`))))),
  });
}

// The row that has the focus, or that was opened last.
export const rowOf = () => document.activeElement?.closest?.(".alert") ?? $("alerts").querySelector(".alert.open");

export function moveBy(step) {
  const rows = [...$("alerts").querySelectorAll(".alert")];
  const at = rows.indexOf(rowOf());
  const row = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  row?.focus();
  row?.scrollIntoView({ block: "nearest" });
  return row;
}
