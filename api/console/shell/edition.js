// The platform was replaced since this page was loaded: its scripts may ask for what no longer is. The page loads
// itself anew, but takes nothing from whoever is writing.

import { $, h } from "./dom.js";
import { t } from "./i18n.js";

const WRITTEN = "textarea, input:not([type=search], [type=range])";

const typed = new WeakSet();
let outdated = false;

export function startEdition() {
  addEventListener("input", ({ target }) => typed.add(target));
  // Neither of them rises: they are caught on their way down.
  for (const left of ["close", "focusout"]) document.addEventListener(left, () => setTimeout(drawEdition), true);
}

export function hearEdition(version) {
  if (version !== document.querySelector("meta[name=nabd-version]").content) outdated = true;
  drawEdition();
}

// Whether something would be lost: a window is open, or something stands in a field that was typed.
const isWriting = () => document.querySelector("dialog[open]") !== null
  || [...document.querySelectorAll(WRITTEN)].some((one) => typed.has(one) && one.value !== one.defaultValue);

export function drawEdition() {
  if (!outdated) return;
  if (!isWriting()) {
    location.reload();
    return;
  }
  $("edition").hidden = false;
  $("edition").replaceChildren(t("new_edition"), " ", h("button", { type: "button", onclick: () => location.reload() }, t("load_anew")));
}
