// Saying something to the others about an alert. What was typed survives signing in again, which loads the page anew.

import { reasonOf } from "../shell/action.js";
import { h } from "../shell/dom.js";
import { post } from "../shell/http.js";
import { t } from "../shell/i18n.js";

const DRAFTS = "nabd.drafts";

const drafts = new Map(kept());

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFTS) ?? "[]");
  } catch {
    return []; // storage may be forbidden
  }
}

function keep(id, text) {
  if (text) drafts.set(id, text);
  else drafts.delete(id);
  try {
    sessionStorage.setItem(DRAFTS, JSON.stringify([...drafts]));
  } catch {
    // as above
  }
}

// `sent` is called once it is stored.
export function commentForm(id, sent) {
  const body = h("input", {
    "aria-label": t("comment"), placeholder: t("comment"), maxlength: 4000, required: true, oninput: (event) => keep(id, event.target.value),
  });
  body.value = drafts.get(id) ?? "";
  const button = h("button", { type: "submit", class: "quiet" }, t("send"));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const form = h("form", {
    class: "say",
    async onsubmit(event) {
      event.preventDefault();
      button.disabled = true;
      problem.hidden = true;
      try {
        await post(`/api/v1/alerts/${id}/comments`, { body: body.value });
        keep(id, "");
        body.value = "";
        sent();
      } catch (error) {
        problem.textContent = t("failed", { reason: reasonOf(error) });
        problem.hidden = false;
      } finally {
        button.disabled = false;
      }
    },
  }, body, button, problem);
  return form;
}
