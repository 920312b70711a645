// The platform was replaced since this page was loaded: its scripts may ask for what no longer is. The page loads
// itself anew, but takes nothing from whoever is writing.

import { $, h } from "./dom.js";
import { language, t } from "./i18n.js";

const WRITTEN = "textarea, input:not([type=search], [type=range]), form select";

const typed = new WeakSet();
let outdated = false;
let said = null; // the language in which it is said

export function startEdition() {
  addEventListener("input", ({ target }) => typed.add(target));
  // Neither of them rises: they are caught on their way down.
  for (const left of ["close", "focusout"]) document.addEventListener(left, () => setTimeout(drawEdition), true);
}

export function hearEdition(version) {
  if (version !== document.querySelector("meta[name=nabd-version]").content) outdated = true;
  drawEdition();
}

// Whether something would be lost: a window is open, or a field says something else than it did before.
const isWriting = () => document.querySelector("dialog[open]") !== null
  || [...document.querySelectorAll(WRITTEN)].some((one) => typed.has(one) && differs(one));

function differs(one) {
  if (one.type === "checkbox" || one.type === "radio") return one.checked !== one.defaultChecked;
  if (one.options) return one.selectedIndex !== Math.max(0, [...one.options].findIndex(({ defaultSelected }) => defaultSelected));
  return one.value !== one.defaultValue;
}

export function drawEdition() {
  if (!outdated) return;
  if (!isWriting()) {
    location.reload();
    return;
  }
  // A button that is replaced while it is pressed or has the focus cannot be used.
  if (!$("edition").hidden && said === language()) return;
  said = language();
  $("edition").hidden = false;
  $("edition").replaceChildren(t("new_edition"), " ", h("button", { type: "button", onclick: () => location.reload() }, t("load_anew")));
}
