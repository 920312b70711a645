// What a rule would have done: figures, days as bars beside the live rule's, and the alerts.

import { deviceLink } from "../../shell/address.js";
import { bdi, h, s } from "../../shell/dom.js";
import { sendText } from "../../shell/http.js";
import { full, number, t, tn } from "../../shell/i18n.js";
import { now } from "../../shell/state.js";
import { table } from "../../shell/tables.js";
import { at, facts, note, tag } from "../blocks.js";
import { dayText } from "../week.js";

const DAY_MS = 86_400_000;
// The platform takes at most 31 days, by its clock.
const MARGIN_MS = 60_000;
const SHOWN = 50;
const WIDE = 600;
const HIGH = 110;

export async function backtest(text, days) {
  const since = new Date(now() - days * DAY_MS + MARGIN_MS).toISOString();
  const trial = await sendText("POST", `/api/v1/rules/test?since=${since}`, text, "application/yaml");
  return [
    !trial.complete && h("p", { class: "problem" }, t("test_incomplete", { until: full(new Date(trial.until)) })),
    ...trial.findings.flatMap(findings),
  ].filter(Boolean);
}

export const findings = (found) => [
  h("h3", {}, bdi(found.rule)),
  h("p", { class: "test-said" }, tn("test_alerts", found.same + found.only_test), " · ", tn("test_live", found.live_alerts)),
  facts([
    [t("test_same"), number(found.same, 0)], [t("test_only"), number(found.only_test, 0)], [t("test_live_only"), number(found.only_live, 0)],
    [t("test_flaps"), number(found.flaps, 0)], [t("test_devices"), `${number(found.devices_seen, 0)} / ${number(found.devices, 0)}`], [t("test_readings"), number(found.readings, 0)],
  ]),
  timeline(found),
  ...found.notes.map((one) => note(one)),
  table([
    { title: t("device"), cell: (one) => deviceLink(one.device, { class: "plain-link" }, bdi(one.device)) },
    { title: t("severity"), cell: (one) => tag(t(`severity_${one.severity}`), one.severity) },
    { title: t("from"), cell: (one) => at(one.opened_at) },
    { title: t("until"), cell: (one) => at(one.ended_at) },
    { title: t("live_too"), cell: (one) => (one.live ? t("yes") : t("no")) },
  ], found.alerts.slice(0, SHOWN), { empty: t("test_none"), caption: t("rule_test") }),
];

// Bars of the test, and what the live rule raised as a line above each day.
function timeline(found) {
  const days = [];
  for (let day = Date.parse(found.since.slice(0, 10)); day <= Date.parse(found.until); day += DAY_MS) days.push(new Date(day).toISOString().slice(0, 10));
  const live = {};
  for (const one of [...found.alerts.filter((alert) => alert.live), ...found.missed]) live[one.opened_at.slice(0, 10)] = (live[one.opened_at.slice(0, 10)] ?? 0) + 1;
  const most = Math.max(1, ...days.map((day) => Math.max(found.per_day[day] ?? 0, live[day] ?? 0)));
  const step = WIDE / days.length;
  const y = (n) => HIGH - 20 - (n / most) * (HIGH - 40);
  return s("svg", { class: "timeline", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": t("timeline_said", { days: days.length, most }) },
    days.map((day, i) => {
      const n = found.per_day[day] ?? 0;
      return s("g", {}, s("title", {}, `${dayText(day)}: ${number(n, 0)} / ${number(live[day] ?? 0, 0)}`),
        s("rect", { class: "bar", x: i * step + 2, width: Math.max(2, step - 4), y: y(n), height: HIGH - 20 - y(n) }),
        s("path", { class: "live", d: `M${i * step + 1} ${y(live[day] ?? 0)}h${step - 2}` }),
        days.length <= 14 && s("text", { x: i * step + step / 2, y: HIGH - 5, "text-anchor": "middle" }, number(Number(day.slice(8)), 0)));
    }));
}
