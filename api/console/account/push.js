// Messages on this browser: whether it can take them, whether it does, a test, and the end of it.

import { action } from "../shell/action.js";
import { h } from "../shell/dom.js";
import { t } from "../shell/i18n.js";
import { canTell, isTold, stopTelling, tellHere, tryHere } from "../shell/push.js";
import { toast } from "../shell/toast.js";

export async function pushCard() {
  const box = h("div", { class: "padded" });
  await fill(box);
  return h("section", { class: "card", id: "push" }, h("div", { class: "card-head" }, h("h2", {}, t("push_title"))), box);
}

async function fill(box) {
  if (!(await canTell())) return box.replaceChildren(h("p", { class: "hint" }, t(isSecureContext ? "push_cannot" : "push_untrusted")));
  const told = await isTold();
  const then = (work, said) => async () => {
    await work();
    await fill(box);
    toast(said());
  };
  return box.replaceChildren(
    h("p", {}, h("span", { class: `tag is-${told ? "ok" : "none"}` }, t(told ? "push_on" : "push_off"))),
    h("p", { class: "hint" }, t("push_how")),
    h("div", { class: "chips" }, told
      ? [action(t("push_try"), async () => (await tryHere(), toast(t("push_tried")))), action(t("push_stop"), then(stopTelling, () => t("push_off")), { class: "quiet" })]
      : action(t("push_start"), then(tellHere, () => t("push_on")), { class: "primary" })));
}
