// A button that does something: it waits while that runs, and says beside itself what went wrong.

import { h } from "./dom.js";
import { numerals } from "./i18n.js";

// Why something went wrong: the title and what the platform says of this case, its numbers in the reader's digits where
// it is in the reader's script.
export const reasonOf = (error) => {
  const listed = (error.errors ?? []).map((one) => [one.line && `${one.line}:${one.column ?? 1}`, one.detail, one.suggestion].filter(Boolean).join(" "));
  const detail = listed.length ? listed.join("; ") : error.detail;
  const whole = detail && detail !== error.message ? `${error.message} (${detail})` : error.message;
  return whole.replace(/[^()]+/g, (part) => (ARABIC.test(part) ? numerals(part) : part));
};

const ARABIC = /\p{Script=Arabic}/u;

export function action(label, work, attributes = {}) {
  const problem = h("span", { class: "problem", role: "alert", hidden: true });
  const button = h("button", { type: "button", ...attributes, onclick: run }, label);
  async function run() {
    button.disabled = true;
    problem.hidden = true;
    try {
      await work(button);
    } catch (error) {
      problem.textContent = reasonOf(error);
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  }
  return h("span", { class: "action" }, button, problem);
}

// A link or a secret that is to be copied. A page that came without TLS may not write the clipboard: the text is selected then.
export function copied(text, label, done) {
  const shown = h("input", { readonly: true, value: text, class: "copied", dir: "ltr", "aria-label": label });
  const button = h("button", { type: "button", onclick: copy }, label);
  async function copy() {
    shown.select();
    await navigator.clipboard?.writeText(text);
    if (navigator.clipboard) button.textContent = done;
  }
  return h("div", { class: "copy" }, shown, button);
}
