// The chart of an alert: what it is about, before, while and after it was open, with the limits of its rule.

import { h } from "../shell/dom.js";
import { said, t } from "../shell/i18n.js";
import { loadReadings, seriesOf } from "../shell/readings.js";
import { now, state } from "../shell/state.js";
import { trend } from "./trend.js";

const HOUR_MS = 3_600_000;
// How much stands before the beginning and after the end: as long as it lasted, within these.
const LEAST_MS = 3 * HOUR_MS;
const MOST_MS = 72 * HOUR_MS;

// Returns how the newest values go: rising, falling, steady; null where that cannot be told.
export async function drawPast(element, alert, limits) {
  const kind = state.kinds.get(alert.kind);
  const measurement = kind?.measurements.find((one) => one.type === "number" && one.name in (alert.evidence.values ?? {}))
    ?? kind?.measurements.find((one) => one.name === kind.headline && one.type === "number");
  if (!measurement) {
    element.replaceChildren(h("p", { class: "meta" }, t("course_none")));
    return null;
  }
  const opened = Date.parse(alert.opened_at);
  const ended = alert.resolved_at ? Date.parse(alert.resolved_at) : now();
  const margin = Math.min(Math.max(ended - opened, LEAST_MS), MOST_MS);
  const start = opened - margin;
  const end = Math.min(ended + margin, now());
  const width = Math.max(element.clientWidth, 260);
  const interval = state.latest.get(alert.device)?.interval_s;
  const [found, { chart }] = await Promise.all([loadReadings(alert.device, [measurement.name], { start, end }, width, interval), import("../shell/chart.js")]);
  const series = seriesOf(measurement, found);
  await chart(element, {
    start, end,
    series: [series],
    limits: limitsOf(limits, measurement.name, alert),
    marks: [{ from: opened, until: alert.resolved_at ? ended : null, severity: alert.severity, label: said(alert.summary, alert.rule) }],
  });
  return alert.state === "firing" ? trend(series.points) : null;
}

const limitsOf = (limits, name, alert) => (limits?.items ?? [])
  .filter((one) => one.measurement === name && one.rule === alert.rule)
  .map((one) => ({ value: one.value, label: t("limit"), severity: one.severity }));
