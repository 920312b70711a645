// A window that makes work orders of alerts, one a device, and sends somebody.

import { bdi, h } from "../shell/dom.js";
import { report } from "../shell/frame.js";
import { field, select } from "../shell/forms.js";
import { get, post } from "../shell/http.js";
import { deviceTitle, number, said, t, tn } from "../shell/i18n.js";
import { done, eachMade } from "./acts.js";
import { peopleFor, personChoices } from "./assigning.js";
import { isWorked, list, reload } from "./list.js";

export async function openOrdering(openDialog, alerts) {
  const open = (one) => one.state === "firing" && !isWorked(one);
  const [first] = alerts.filter(open);
  if (!first) throw new Error(t("work_there_is"));
  // An order is about one device; what else is open there goes along.
  const orders = byDevice(alerts.filter(open)).map((own) => [...own, ...list.items.filter((one) => open(one) && one.device === own[0].device && !own.some(({ id }) => id === one.id))]);
  const [people, teams] = await Promise.all([peopleFor(first), get("/api/v1/teams").then(({ items }) => items)]);
  const technicians = people.filter(({ technician }) => technician);
  const own = teams.filter(({ municipality }) => !municipality || municipality === first.municipality);
  openDialog({
    title: t("work_title"),
    body: h("div", { class: "form" },
      orders.map((together) => h("p", {}, bdi(deviceTitle(together[0])), ": ", together.map((one) => said(one.summary, one.rule)).join(" · "))),
      personChoices(technicians, technicians[0]?.name, t("work_nobody_yet")),
      own.length > 0 && field(t("work_team"), select({ name: "team" }, [["", t("none")], ...own.map((one) => [one.name, said(one.title, one.name)])], ""))),
    label: t("work_make"),
    async submit({ to, team }) {
      const { things, back } = await eachMade(orders,
        (together) => post("/api/v1/work-orders", { alerts: together.map(({ id }) => id), assignee: to || null, team: team || null }),
        (made) => post(`/api/v1/work-orders/${made.id}/cancel`, { reason: t("work_taken_back") }));
      done(things.length > 1 ? tn("work_made_n", things.length) : t("work_made", { order: number(things[0].id, 0) }), back);
      reload().catch(report);
    },
  });
}

function byDevice(alerts) {
  const found = new Map();
  for (const alert of alerts) found.set(alert.device, [...(found.get(alert.device) ?? []), alert]);
  return [...found.values()];
}
