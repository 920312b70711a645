// Readings of a device as series of a chart.

import { get } from "./http.js";
import { said } from "./i18n.js";

const HOUR_MS = 3_600_000;
const BUCKET_MS = { "1m": 60_000, "1h": HOUR_MS, "1d": 24 * HOUR_MS };
// A longer silence than so many intervals is a gap, as it is to rules.
const GAP_INTERVALS = 2.5;

// Returns {bucket, gap_ms, readings} of a span, at most about `width` points.
export async function loadReadings(device, names, { start, end }, width, interval_s) {
  const query = new URLSearchParams({
    measurements: names.join(","), bucket: "auto", width: String(Math.round(width)),
    start: new Date(start).toISOString(), end: new Date(end).toISOString(),
  });
  const found = await get(`/api/v1/devices/${encodeURIComponent(device)}/readings?${query}`);
  const spacing = Math.max(BUCKET_MS[found.bucket] ?? 0, (interval_s ?? 600) * 1000);
  return { ...found, gap_ms: spacing * GAP_INTERVALS };
}

// What lies around a mean: on a circle the least may be beyond the end of the axis, 350° below 10°.
function around(measurement, { avg, min, max }) {
  if (!measurement.circular) return [min, max];
  const turn = measurement.high - measurement.low;
  return [min > avg ? min - turn : min, max < avg ? max + turn : max];
}

// One series for chart(); `later` moves it on, so that a week ago lies below today.
export function seriesOf(measurement, found, { later = 0, label, ...more } = {}) {
  const { name, unit } = measurement;
  const points = [];
  for (const reading of found.readings) {
    const value = reading.measurements[name];
    if (value === undefined || value === null || typeof value === "string") continue;
    const at = Date.parse(reading.observed_at ?? reading.at) + later;
    if (typeof value !== "object") points.push([at, Number(value), Number(value), Number(value), Boolean(reading.suspect?.includes(name))]);
    else if (value.count && value.avg !== null) points.push([at, value.avg, ...around(measurement, value)]);
  }
  return { label: label ?? said(measurement.label, name), unit, points, gap_ms: found.gap_ms, measurement, ...more };
}
