// Which reports I get by e-mail: the week of a municipality, the monthly heads of the audit.

import { action } from "../shell/action.js";
import { h } from "../shell/dom.js";
import { checkbox } from "../shell/forms.js";
import { may } from "../shell/frame.js";
import { get, put } from "../shell/http.js";
import { said, t } from "../shell/i18n.js";
import { state } from "../shell/state.js";
import { toast } from "../shell/toast.js";

export async function reportsCard() {
  const { subscriptions } = await get("/api/v1/session/subscriptions");
  const has = (topic, town) => subscriptions.some((one) => one.topic === topic && one.municipality === town);
  const choices = [
    ...[...state.towns.values()].map((town) => ["weekly-report", town.name, t("weekly_of", { town: said(town.title, town.name) })]),
    ...(may("read-audit") ? [["audit-heads", null, t("audit_heads")]] : []),
  ];
  const boxes = choices.map(([topic, town, label]) => [topic, town, checkbox({ checked: has(topic, town) }, label)]);
  // What this page does not offer stays as it is.
  const others = subscriptions.filter((one) => !choices.some(([topic, town]) => topic === one.topic && town === one.municipality));
  const save = async () => {
    const chosen = boxes.filter(([, , box]) => box.querySelector("input").checked).map(([topic, municipality]) => ({ topic, municipality }));
    await put("/api/v1/session/subscriptions", { subscriptions: [...others, ...chosen] });
    toast(t("saved"));
  };
  return h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, t("reports_by_mail"))),
    h("div", { class: "padded" }, boxes.map(([, , box]) => box), action(t("save"), save, { class: "primary" })));
}
