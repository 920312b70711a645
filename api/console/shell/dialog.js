// A window over the page: a title, a form or a text, and what can be done. Escape and a click beside it close it.

import { reasonOf } from "./action.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

// Opens it with a form inside. `submit` is given the form's values; what it throws is said in the window, which
// stays open then. Without `submit` it only shows. Returns the element; closing it removes it.
export function openDialog({ title, body, submit, label = t("save"), danger = false, wide = false }) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const send = h("button", { type: "submit", class: danger ? "danger" : "primary" }, label);
  const form = h("form", { method: "dialog", class: "form", onsubmit: sent },
    h("header", { class: "dialog-head" }, h("h2", {}, title),
      h("button", { type: "button", class: "quiet close", "aria-label": t("close"), onclick: () => dialog.close() }, "✕")),
    body, problem,
    h("footer", { class: "dialog-foot" },
      h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, t(submit ? "cancel" : "close")), submit && send));
  const dialog = h("dialog", { class: `dialog${wide ? " wide" : ""}`, "aria-label": title, onclose: () => dialog.remove() }, form);
  // Whoever selects text and lets go beside the window has not clicked beside it.
  let pressed = null;
  dialog.addEventListener("pointerdown", (event) => (pressed = event.target));
  dialog.addEventListener("click", (event) => event.target === dialog && pressed === dialog && dialog.close());

  async function sent(event) {
    event.preventDefault();
    if (!submit) return dialog.close();
    send.disabled = true;
    problem.hidden = true;
    try {
      await submit(Object.fromEntries(new FormData(form)), form);
      dialog.close();
    } catch (error) {
      problem.textContent = reasonOf(error);
      problem.hidden = false;
    } finally {
      send.disabled = false;
    }
  }

  document.body.append(dialog);
  dialog.showModal();
  // Typing begins in the first field, where no other asks for it.
  if (!form.querySelector("[autofocus]")) form.querySelector("input, select, textarea")?.focus();
  return dialog;
}

// Asks before something that cannot be undone.
export const confirmed = (title, text, label, submit) => openDialog({ title, body: h("p", {}, text), submit, label, danger: true });
