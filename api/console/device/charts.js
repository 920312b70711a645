// The charts of one device: which span, beside what, with the limits of its rules and the spans of its alerts.

import { reasonOf } from "../shell/action.js";
import { go, place } from "../shell/address.js";
import { sentence } from "../shell/alerts.js";
import { chart } from "../shell/chart.js";
import { h } from "../shell/dom.js";
import { get } from "../shell/http.js";
import { language, number, said, t, titleOf, tn, unit, zone } from "../shell/i18n.js";
import { fromLocalText, localText } from "../shell/moments.js";
import { loadReadings, seriesOf } from "../shell/readings.js";
import { now, state } from "../shell/state.js";
import { handBetween } from "./hand.js";
import { PRESETS, WEEK_MS, addressed, groups, moved, spanOf } from "./span.js";

const NEIGHBOURS = 5;
const MOST_MARKS = 100;
const MOST_LIMITS = 6;
const COMPARED = ["none", "week", "near"];

let device = null;
let limits = [];
let asked = 0;
let drawn = null;
let charts = [];
let parts = {};

const span = () => spanOf(place(), now());
const chosen = () => (COMPARED.includes(place().compare) ? place().compare : "none");
const keyOf = () => [place().hours, place().from, place().until, chosen(), device?.name, language()].join(" ");

// Shows a device in `element`; its limits come by themselves.
export function startCharts(element, shown) {
  device = shown;
  limits = [];
  drawn = null;
  parts = { controls: h("div", { class: "span-controls" }), boxes: h("div", { class: "charts" }, h("p", { class: "empty" }, t("loading"))) };
  element.replaceChildren(parts.controls, parts.boxes);
  const name = shown.name;
  get(`/api/v1/devices/${encodeURIComponent(name)}/limits`).then(({ items }) => {
    if (device?.name !== name) return;
    limits = items;
    if (drawn) load();
  }).catch(() => {}); // a chart without lines still says what was measured
}

export function drawCharts() {
  if (!device || drawn === keyOf()) return;
  drawn = keyOf();
  drawControls();
  load();
}

// Something new was measured: a span that ends now goes on.
export function refreshCharts() {
  if (device && span().hours) load();
}

export function stopCharts() {
  device = null;
  charts.forEach((one) => one.remove());
  charts = [];
}

function drawControls() {
  const { start, end, hours } = span();
  const from = h("input", { type: "datetime-local", value: localText(start, zone()), "aria-label": t("from"), required: true, name: "from" });
  const until = h("input", { type: "datetime-local", value: localText(end, zone()), "aria-label": t("until"), required: true, name: "until" });
  const show = (event) => {
    event.preventDefault();
    const [first, last] = [fromLocalText(from.value, zone()), fromLocalText(until.value, zone())];
    until.setCustomValidity(last > first ? "" : t("span_backwards"));
    if (event.target.reportValidity()) go(addressed(first, last));
  };
  const focused = document.activeElement?.closest?.(".span-controls") && document.activeElement.dataset.focus;
  parts.controls.replaceChildren(
    h("div", { class: "chips", role: "group", "aria-label": t("period") },
      PRESETS.map((one) => h("button", {
        type: "button", class: "chip", "aria-pressed": String(one === hours), "data-focus": `hours ${one}`,
        onclick: () => go({ hours: String(one), from: null, until: null }),
      }, one > 24 * 365 - 1 ? tn("years", one / 8760) : one > 24 ? tn("days", one / 24) : tn("hours", one)))),
    h("form", { class: "span-form", onsubmit: show, oninput: () => until.setCustomValidity("") },
      h("button", { type: "button", class: "quiet", "aria-label": t("earlier"), "data-focus": "earlier", onclick: () => go(moved(span(), -1)) }, "‹"),
      from, h("span", { "aria-hidden": "true" }, "–"), until,
      h("button", { type: "submit", class: "quiet", "data-focus": "show" }, t("show")),
      h("button", { type: "button", class: "quiet", "aria-label": t("later"), "data-focus": "later", disabled: Boolean(hours), onclick: () => go(moved(span(), 1)) }, "›")),
    h("label", { class: "compare" }, h("span", {}, t("compare")),
      h("select", { "data-focus": "compare", onchange: (event) => go({ compare: event.target.value === "none" ? null : event.target.value }) },
        COMPARED.map((one) => h("option", { value: one, selected: one === chosen() }, t(`compare_${one}`))))));
  if (focused) parts.controls.querySelector(`[data-focus="${focused}"]`)?.focus();
}

async function load() {
  const kind = state.kinds.get(device.kind);
  const shown = kind ? groups(kind) : [];
  const names = shown.flat().map(({ name }) => name);
  if (!names.length) return parts.boxes.replaceChildren(h("p", { class: "empty" }, t("no_history")));
  const question = ++asked;
  const { name } = device;
  const wanted = span();
  const width = Math.max(parts.boxes.clientWidth, 260);
  try {
    const interval = state.latest.get(name)?.interval_s;
    const [found, marks, others, stamps] = await Promise.all([
      loadReadings(name, names, wanted, width, interval), loadMarks(name, wanted), beside(names, wanted, width, interval),
      handBetween(name, wanted).catch(() => []), // a chart without them still says what was measured
    ]);
    if (question !== asked || device?.name !== name) return; // the reader has moved on meanwhile
    await draw(shown, wanted, found, marks, others, stamps);
  } catch (error) {
    if (question === asked) parts.boxes.replaceChildren(h("p", { class: "problem", role: "alert" }, t("failed", { reason: reasonOf(error) })));
  }
}

async function draw(shown, { start, end }, found, marks, others, stamps) {
  const options = shown.map((group) => ({
    start, end, marks, stamps, onSpan: (from, until) => go(addressed(from, until)),
    series: [...group.map((one) => seriesOf(one, found)), ...others.flatMap((other) => group.slice(0, 2).map((one) => compared(one, other, group)))],
    limits: lines(group),
  }));
  if (charts.length === options.length && parts.boxes.querySelector(".chart")) {
    charts.forEach((one, i) => one.update(options[i]));
    return;
  }
  charts.forEach((one) => one.remove());
  const boxes = options.map(() => h("div"));
  parts.boxes.replaceChildren(...boxes);
  charts = await Promise.all(options.map((one, i) => chart(boxes[i], one)));
}

function compared(one, { found, later, label }, group) {
  const whole = group.length > 1 ? `${label}: ${said(one.label, one.name)}` : label;
  return seriesOf(one, found, { later, label: whole, dashed: true });
}

// The limits of a chart's measurements, each value once.
function lines(group) {
  const found = new Map();
  for (const { measurement, severity, side, value } of limits) {
    const one = group.find(({ name }) => name === measurement);
    if (!one || found.has(value)) continue;
    const symbol = unit(one.unit);
    found.set(value, {
      value, severity, label: `${side === "above" ? ">" : "<"} \u2066${number(value, 2)}${symbol ? `\u00a0${symbol}` : ""}\u2069 \u2068${t(`severity_${severity}`)}\u2069`,
    });
  }
  return [...found.values()].slice(0, MOST_LIMITS);
}

async function loadMarks(name, { start, end }) {
  const query = new URLSearchParams({ device: name, since: new Date(start).toISOString(), until: new Date(end).toISOString(), limit: String(MOST_MARKS) });
  const { items } = await get(`/api/v1/alerts?${query}`);
  return items.map((alert) => ({
    from: Date.parse(alert.opened_at), until: alert.resolved_at ? Date.parse(alert.resolved_at) : null,
    severity: alert.severity, label: h("span", {}, sentence(alert)).textContent,
  }));
}

// What is drawn beside the device: itself a week before, or its neighbours.
async function beside(names, wanted, width, interval) {
  if (chosen() === "week") {
    const before = { start: wanted.start - WEEK_MS, end: wanted.end - WEEK_MS };
    return [{ found: await loadReadings(device.name, names, before, width, interval), later: WEEK_MS, label: t("week_before") }];
  }
  if (chosen() !== "near") return [];
  const near = await neighbours();
  return Promise.all(near.map(async (one) => ({
    found: await loadReadings(one.name, names, wanted, width, interval), later: 0, label: titleOf(one),
  })));
}

// The nearest of the same kind, in the same district where it is in one.
async function neighbours() {
  const query = new URLSearchParams({ kind: device.kind, municipality: device.municipality, limit: "1000" });
  if (device.district) query.set("district", device.district);
  const { items } = await get(`/api/v1/standings?${query}`);
  const far = (one) => (one.lat === null || device.lat === null ? Infinity
    : Math.hypot(one.lat - device.lat, (one.lon - device.lon) * Math.cos((device.lat * Math.PI) / 180)));
  return items.filter(({ name, status }) => name !== device.name && status !== "none").sort((a, b) => far(a) - far(b)).slice(0, NEIGHBOURS);
}
