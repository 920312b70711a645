// One device: its newest values and charts of its last readings.

import { go, moveLink, place } from "../shell/address.js";
import { sentence } from "../shell/alerts.js";
import { $, bdi, h, isolated } from "../shell/dom.js";
import { get } from "../shell/http.js";
import { full, language, said, t, tn, value } from "../shell/i18n.js";
import { badge } from "../shell/icons.js";
import { chart } from "./chart.js";
import { alertsOf, now, statusOf, state } from "../shell/state.js";
import { updateTimes } from "../shell/times.js";

const HOUR_MS = 3_600_000;
const PERIODS = [{ hours: 6 }, { hours: 24 }, { hours: 168 }, { hours: 720 }];
const USUAL = PERIODS[1];
// A longer silence than so many intervals is a gap, as it is to rules.
const GAP_INTERVALS = 2.5;
const BUCKET_MS = { "1m": 60_000, "1h": HOUR_MS, "1d": 24 * HOUR_MS };
const REFRESH_MS = 5000;

let name = null;
let parts = {};
const reasons = new Map();
let windows = [];
let asked = 0;
// The period of the charts on the screen.
let drawn = null;
let timer = null;

const period = () => PERIODS.find(({ hours }) => String(hours) === place().hours) ?? USUAL;

// Shows the device that the address names, or none.
function follow() {
  const { device } = place();
  if (device === name) return;
  name = device;
  reasons.clear();
  windows = [];
  $("device").hidden = !name;
  $("list").hidden = Boolean(name);
  if (!name) return;
  build();
  loadCharts();
  loadWindows();
}

export function drawDevice() {
  if (!state.loaded) return;
  follow();
  if (!name) return;
  if (drawn !== period()) {
    drawPeriods();
    loadCharts();
  }
  if (parts.language !== document.documentElement.lang) {
    build();
    loadCharts();
    return;
  }
  drawHead();
  drawValues();
}

// Called when the device on the screen has spoken.
export function refreshDevice(devices) {
  if (!name || !devices.has(name) || timer) return;
  timer = setTimeout(() => {
    timer = null;
    if (name) loadCharts();
  }, REFRESH_MS);
}

function build() {
  parts = {
    language: document.documentElement.lang,
    head: h("header", { class: "panel-head" }),
    values: h("dl", { class: "values" }),
    periods: h("div", { class: "chips", role: "group", "aria-label": t("period") }),
    charts: h("div", { class: "charts" }, h("p", { class: "empty" }, t("loading"))),
  };
  $("device").replaceChildren(h("div", { class: "card panel-body" }, parts.head,
    h("section", {}, h("h3", {}, t("latest_values")), parts.values),
    h("section", {}, h("div", { class: "card-head" }, h("h3", {}, t("history")), parts.periods), parts.charts)));
  drawHead();
  drawValues();
  drawPeriods();
}

function drawHead() {
  const device = state.devices.get(name) ?? { name, title: "", kind: "" };
  const kind = state.kinds.get(device.kind);
  const open = alertsOf(name);
  parts.head.replaceChildren(
    badge(kind?.icon, statusOf(name)),
    h("div", {},
      h("h1", { id: "device-title" }, bdi(device.title || device.name)),
      h("p", {}, h("small", {}, said(kind?.title, device.kind), " · ", bdi(device.name))),
      windows.map(maintenance),
      open.flatMap((alert) => [
        h("p", { class: `meta alert-line is-${alert.severity}` }, h("span", { class: `tag is-${alert.severity}` }, t(`severity_${alert.severity}`)), h("span", {}, sentence(alert)),
          h("button", { type: "button", class: "quiet", "aria-expanded": String(reasons.has(alert.id)), onclick: () => askWhy(alert) }, t("why"))),
        reasons.has(alert.id) && why(reasons.get(alert.id)),
      ])),
    moveLink({ device: null, hours: null }, { class: "plain-link" }, t("devices")));
}

// Rules do not look while people work on it.
function maintenance(window) {
  const times = { from: full(new Date(window.from_at)), until: full(new Date(window.until_at)), reason: `\u2068${window.reason}\u2069` };
  return h("p", { class: "meta note maintenance" }, t(window.state === "running" ? "maintenance_running" : "maintenance_planned", times));
}

async function loadWindows() {
  const device = name;
  try {
    const { items } = await get(`/api/v1/maintenance?device=${encodeURIComponent(device)}`);
    if (name !== device) return; // the reader has moved on meanwhile
    windows = items;
    drawHead();
  } catch {
    // what is planned is no reason to show less of the device
  }
}

// A second click closes the answer again.
async function askWhy(alert) {
  if (!reasons.delete(alert.id)) {
    try {
      reasons.set(alert.id, await get(`/api/v1/rules/${encodeURIComponent(alert.rule)}/explain?device=${encodeURIComponent(alert.device)}`));
    } catch (error) {
      reasons.set(alert.id, { failed: error.message });
    }
  }
  if (name === alert.device) drawHead();
}

function why(found) {
  if (found.failed) return h("p", { class: "problem" }, t("failed", { reason: found.failed }));
  return h("ul", { class: "why" },
    found.sentences[language()].map((one) => h("li", {}, isolated(one))),
    found.terms.map((term) => h("li", {}, bdi(term.said[language()]), " · ", bdi(told(term.value)), " · ", t(`holds_${term.holds}`))));
}

function told(value) {
  if (typeof value === "boolean") return t(value ? "yes" : "no");
  return value === null ? "–" : String(value);
}

function drawValues() {
  const latest = state.latest.get(name);
  const kind = state.kinds.get(state.devices.get(name)?.kind);
  if (!latest || !kind) {
    parts.values.replaceChildren(h("p", { class: "empty" }, t(state.devices.has(name) ? "no_reading" : "device_unknown")));
    return;
  }
  const shown = kind.measurements.filter((one) => one.name in latest.measurements);
  parts.values.replaceChildren(
    ...shown.map((one) => {
      const doubtful = latest.suspect.includes(one.name);
      return h("div", { class: `value${doubtful ? " doubtful" : ""}${one.name === kind.headline ? " main" : ""}` },
        h("dt", {}, said(one.label, one.name)), h("dd", {}, value(one, latest.measurements[one.name]), doubtful && h("small", {}, t("suspect"))));
    }),
    h("div", { class: "value" }, h("dt", {}, t("last_reading")),
      h("dd", { title: full(new Date(latest.observed_at)) }, h("time", { "data-since": latest.observed_at, datetime: latest.observed_at }))));
  updateTimes(parts.values);
}

function drawPeriods() {
  parts.periods.replaceChildren(...PERIODS.map((one) => h("button", {
    type: "button", class: "chip", "aria-pressed": String(one === period()), onclick: () => go({ hours: String(one.hours) }),
  }, one.hours > 24 ? tn("days", one.hours / 24) : tn("hours", one.hours))));
}

async function loadCharts() {
  drawn = period();
  const device = state.devices.get(name);
  const kind = state.kinds.get(device?.kind);
  if (!kind) {
    parts.charts.replaceChildren();
    return;
  }
  const question = ++asked;
  const width = Math.max(parts.charts.clientWidth, 260);
  const end = now();
  const start = end - drawn.hours * HOUR_MS;
  const names = [...new Set(kind.panels.flatMap((panel) => panel.measurements))];
  if (!names.length) {
    parts.charts.replaceChildren();
    return;
  }
  const query = new URLSearchParams({
    measurements: names.join(","), bucket: "auto", width: String(Math.round(width)), start: new Date(start).toISOString(), end: new Date(end).toISOString(),
  });
  try {
    const found = await get(`/api/v1/devices/${encodeURIComponent(name)}/readings?${query}`);
    if (question !== asked) return; // the reader has moved on meanwhile
    const spacing = Math.max(BUCKET_MS[found.bucket] ?? 0, (state.latest.get(name)?.interval_s ?? 600) * 1000);
    parts.charts.replaceChildren(...kind.panels.map((panel) => chart({
      title: panel.title, start, end, width, gap: spacing * GAP_INTERVALS,
      series: panel.measurements.map((one) => series(kind, one, found.readings)),
    })));
  } catch (error) {
    if (question === asked) parts.charts.replaceChildren(h("p", { class: "problem" }, t("failed", { reason: error.message })));
  }
}

// What lies around a mean: on a circle the least may be beyond the end of the axis, 350° below 10°.
function around(measurement, { avg, min, max }) {
  if (!measurement.circular) return { low: min, high: max };
  const turn = measurement.high - measurement.low;
  return { low: min > avg ? min - turn : min, high: max < avg ? max + turn : max };
}

function series(kind, name, readings) {
  const measurement = kind.measurements.find((one) => one.name === name);
  const points = [];
  for (const reading of readings) {
    const found = reading.measurements[name];
    if (found === undefined || found === null || typeof found === "string") continue;
    const at = Date.parse(reading.observed_at ?? reading.at);
    if (typeof found === "object") {
      if (found.count && found.avg !== null) points.push({ at, value: found.avg, ...around(measurement, found) });
    } else {
      const raw = Number(found);
      points.push({ at, value: raw, low: raw, high: raw, suspect: reading.suspect?.includes(name) });
    }
  }
  return { measurement, points };
}
