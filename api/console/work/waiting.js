// What waits for the network, and what the platform refused: nothing is lost without being told.

import { moveLink } from "../shell/address.js";
import { bdi, h } from "../shell/dom.js";
import { confirmed } from "../shell/dialog.js";
import { t, tn } from "../shell/i18n.js";
import { fellWords, handWords } from "../shell/reading_form.js";
import { state } from "../shell/state.js";
import { dismiss, refusals, tryAgain, waitingEntries } from "./outbox.js";
import { eventWords, when } from "./words.js";

let drawn = null;

export function drawWaiting(element) {
  const refused = refusals();
  const held = new Set(refused.flat());
  const count = waitingEntries().filter((entry) => !held.has(entry)).length;
  const key = JSON.stringify([count, refused, document.documentElement.lang]);
  if (key === drawn) return;
  drawn = key;
  element.replaceChildren(
    ...(count ? [h("p", { class: "waits" }, tn("waits", count))] : []),
    ...refused.map(refusal));
}

function refusal(own) {
  const entry = own.find((one) => one.problem);
  const { problem, order } = entry;
  return h("div", { class: "refused", role: "alert" },
    h("p", {}, h("b", {}, order ? moveLink({ order, install: null }, {}, t("order_n", { n: order })) : bdi(own[0].device ?? own[0].group))),
    h("p", {}, words(entry)),
    h("ul", {}, own.map((one) => h("li", {}, t("not_sent", { what: t(`step_${one.step}`), time: when(one.at) }), texts(one)))),
    h("p", { class: "refused-ways" },
      h("button", { type: "button", onclick: () => tryAgain(own) }, t(problem.confirm === "reset" ? "reading_replaced" : "try_again")),
      h("button", { type: "button", class: "quiet", onclick: () => confirmed(t("dismiss"), t("dismiss_how"), t("dismiss"), () => dismiss(own)) }, t("dismiss"))));
}

// Somebody was quicker: who, with what, and when. Else what the platform says.
function words({ kind, problem: { title, detail, last, confirm, fault } }) {
  if (confirm === "reset") return fellWords(state.kinds.get(kind), fault.pointer.split("/").at(-1), fault.last);
  if (last) return t("conflict", { what: eventWords(last), time: when(last.happened_at) });
  return detail ? `${title} (${detail})` : title;
}

// What was written is shown, so that it can be said in another way.
function texts({ body, kind }) {
  if (body?.measurements) return h("span", {}, " · ", handWords(state.kinds.get(kind), body.measurements), body.note && [" ", h("q", { dir: "auto" }, body.note)]);
  const written = [body?.reason, body?.found, body?.done, body?.text].filter(Boolean);
  return written.length > 0 && h("q", { dir: "auto" }, written.join(" · "));
}
