// The chart of an alert: what it is about, before, while and after it was open, with the limits of its rule.

import { h } from "../shell/dom.js";
import { get } from "../shell/http.js";
import { said, t } from "../shell/i18n.js";
import { now, state } from "../shell/state.js";
import { trend } from "./trend.js";

const HOUR_MS = 3_600_000;
// How much stands before the beginning and after the end: as long as it lasted, within these.
const LEAST_MS = 3 * HOUR_MS;
const MOST_MS = 72 * HOUR_MS;
const GAP_INTERVALS = 2.5;
const BUCKET_MS = { "1m": 60_000, "1h": HOUR_MS, "1d": 24 * HOUR_MS };

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
  const query = new URLSearchParams({
    measurements: measurement.name, bucket: "auto", width: String(Math.max(element.clientWidth, 260)), start: new Date(start).toISOString(), end: new Date(end).toISOString(),
  });
  const [found, { chart }] = await Promise.all([get(`/api/v1/devices/${encodeURIComponent(alert.device)}/readings?${query}`), import("../shell/chart.js")]);
  const points = found.readings.map((reading) => point(reading, measurement.name)).filter(Boolean);
  const spacing = Math.max(BUCKET_MS[found.bucket] ?? 0, 600_000, (end - start) / 200);
  await chart(element, {
    start, end,
    series: [{ label: said(measurement.label, measurement.name), unit: measurement.unit, points, gap_ms: spacing * GAP_INTERVALS, measurement }],
    limits: limitsOf(limits, measurement.name, alert),
    marks: [{ from: opened, until: alert.resolved_at ? ended : null, severity: alert.severity, label: said(alert.summary, alert.rule) }],
  });
  return alert.state === "firing" ? trend(points) : null;
}

function point(reading, name) {
  const found = reading.measurements[name];
  if (found === undefined || found === null) return null;
  const at = Date.parse(reading.observed_at ?? reading.at);
  if (typeof found === "object") return found.count && found.avg !== null ? [at, found.avg, found.min, found.max] : null;
  return [at, Number(found), Number(found), Number(found), Boolean(reading.suspect?.includes(name))];
}

const limitsOf = (limits, name, alert) => (limits?.items ?? [])
  .filter((one) => one.measurement === name && one.rule === alert.rule)
  .map((one) => ({ value: one.value, label: t("limit"), severity: one.severity }));
