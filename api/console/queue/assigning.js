// A window that gives alerts to somebody: oneself, or whoever suits best.

import { h } from "../shell/dom.js";
import { may, reader } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { t, tn } from "../shell/i18n.js";
import { assign, take } from "./acts.js";

// Choices of a person for an alert: what is known of each stands beside the name.
export function personChoices(people, chosen, nobody) {
  const choice = (value, text, note, checked) => h("label", { class: "choice" },
    h("input", { type: "radio", name: "to", value, checked, autofocus: checked }), h("span", {}, h("bdi", {}, text), note && h("small", {}, note)));
  return h("div", { class: "choices", role: "radiogroup", "aria-label": t("assign_to") },
    nobody && choice("", nobody, null, !chosen),
    people.map((one) => choice(one.name, one.display_name, noteOf(one), one.name === chosen)));
}

function noteOf({ technician, knows_kind: kind, knows_district: district, open_orders: orders }) {
  if (!technician) return null;
  return [kind && t("knows_kind"), district && t("knows_district"), tn("open_orders", orders)].filter(Boolean).join(" · ");
}

export const peopleFor = async (alert) => (await get(`/api/v1/alerts/${alert.id}/people`)).items;

export async function openAssigning(openDialog, alerts) {
  const [first] = alerts;
  const self = reader().user;
  if (!may("assign-alerts")) return take(alerts);
  const people = await peopleFor(first);
  const mine = self && { technician: false, display_name: t("assign_me"), name: self };
  const all = [...(mine ? [mine] : []), ...people.filter(({ name }) => name !== self)];
  openDialog({
    title: tn("assign_title", alerts.length),
    body: personChoices(all, first.assigned_to ?? self ?? people[0]?.name, t("assign_nobody")),
    label: t("assign"),
    submit: ({ to }) => assign(alerts, to || null),
  });
}
