// A window that makes a work order of alerts of one device, and sends somebody.

import { bdi, h } from "../shell/dom.js";
import { report } from "../shell/frame.js";
import { field, select } from "../shell/forms.js";
import { get, post } from "../shell/http.js";
import { number, said, t } from "../shell/i18n.js";
import { done } from "./acts.js";
import { peopleFor, personChoices } from "./assigning.js";
import { isWorked, list, reload } from "./list.js";

export async function openOrdering(openDialog, alerts) {
  const [first] = alerts;
  // An order is about one device; what else is open there goes along.
  const together = [first, ...list.items.filter((one) => one.id !== first.id && one.device === first.device && one.state === "firing" && !isWorked(one))];
  const [people, teams] = await Promise.all([peopleFor(first), get("/api/v1/teams").then(({ items }) => items)]);
  const technicians = people.filter(({ technician }) => technician);
  const own = teams.filter(({ municipality }) => !municipality || municipality === first.municipality);
  openDialog({
    title: t("work_title"),
    body: h("div", { class: "form" },
      h("p", {}, bdi(first.device_title), ": ", together.map((one) => said(one.summary, one.rule)).join(" · ")),
      personChoices(technicians, technicians[0]?.name, t("work_nobody_yet")),
      own.length > 0 && field(t("work_team"), select({ name: "team" }, [["", t("none")], ...own.map((one) => [one.name, said(one.title, one.name)])], ""))),
    label: t("work_make"),
    async submit({ to, team }) {
      const made = await post("/api/v1/work-orders", { alerts: together.map(({ id }) => id), assignee: to || null, team: team || null });
      done(t("work_made", { order: number(made.id, 0) }), () => post(`/api/v1/work-orders/${made.id}/cancel`, { reason: t("work_taken_back") }));
      reload().catch(report);
    },
  });
}
