// The page of one device: how it is, where it stands, what it measured, and what happened to it.

import { reasonOf } from "../shell/action.js";
import { deviceLink, moveLink, place } from "../shell/address.js";
import { sentence } from "../shell/alerts.js";
import { $, bdi, h, isolated } from "../shell/dom.js";
import { may, redraw } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { full, language, number, said, statusText, t, titleOf, tn } from "../shell/i18n.js";
import { badge } from "../shell/icons.js";
import { enterable } from "../shell/reading_form.js";
import { alertsOf, putAlert, setAlerts, state, statusOf } from "../shell/state.js";
import { updateTimes } from "../shell/times.js";
import { startCycles } from "./cycles.js";
import { drawCharts, refreshCharts, startCharts, stopCharts } from "./charts.js";
import { hearCommand, startCommands } from "./commands.js";
import { drawMessages, hearReading, startMessages } from "./messages.js";
import { enterReading, hearHand, startHand } from "./hand.js";
import { startNotes } from "./notes.js";
import { drawPast, startPast } from "./past.js";
import { values } from "./values.js";

const REFRESH_MS = 5000;
const MOST_CHILDREN = 20;

let name = null;
// What is known of it: {device, children, windows} or {failed: what is said then}.
let known = null;
let parts = {};
let map = null;
let timer = null;
const reasons = new Map();

const address = (device) => `/api/v1/devices/${encodeURIComponent(device)}`;

// Shows the device that the address names, or none.
export function drawDevice() {
  if (!state.loaded || !language()) return;
  const { device } = place();
  $("device").hidden = !device;
  if (device !== name) {
    leave();
    name = device;
    if (name) load();
  }
  if (!name) return;
  if (parts.language !== language()) build();
  drawHead();
  if (!known?.device) return;
  drawValues();
  drawCharts();
  drawPast();
  drawMessages();
}

function leave() {
  stopCharts();
  map?.remove();
  [known, map, parts] = [null, null, {}];
  reasons.clear();
}

// The device that the address names when the page is opened; without network this is tried again.
export function openDevice() {
  name = place().device;
  return load();
}

async function load() {
  const asked = name;
  const before = alertsOf(asked);
  try {
    const [device, latest, open] = await Promise.all([
      get(address(asked)),
      get(`${address(asked)}/latest`).catch((error) => (error.status === 404 ? null : Promise.reject(error))),
      get(`/api/v1/alerts?state=firing&limit=200&device=${encodeURIComponent(asked)}`),
    ]);
    if (name !== asked) return; // the reader has moved on meanwhile
    state.devices.set(asked, device);
    if (latest) state.latest.set(asked, latest);
    setAlerts(open.items, open.next ? [] : before);
    known = { device, children: [], windows: [] };
    parts = {};
    loadBeside(asked);
  } catch (error) {
    if (!error.status && !state.loaded) throw error;
    // Texts may come later than this answer.
    if (name === asked) known = { failed: () => (error.status === 404 ? t("device_unknown") : t("failed", { reason: reasonOf(error) })) };
  }
  redraw();
}

// What is said beside it; it may be late or missing.
async function loadBeside(asked) {
  const found = async (url, take) => {
    try {
      const { items } = await get(url);
      if (name === asked && known?.device) take(items);
      redraw();
    } catch {
      // what is planned, or what it feeds, is no reason to show less of the device
    }
  };
  found(`/api/v1/maintenance?device=${encodeURIComponent(asked)}`, (items) => (known.windows = items));
  found(`/api/v1/devices?limit=${MOST_CHILDREN + 1}&parent=${encodeURIComponent(asked)}`, (items) => {
    known.children = items;
    if (parts.place) drawPlace();
  });
}

function build() {
  stopCharts();
  map?.remove();
  map = null;
  parts = { language: language(), head: h("header", { class: "card device-head" }) };
  if (!known?.device) {
    $("device").replaceChildren(parts.head);
    return;
  }
  Object.assign(parts, {
    values: h("div"), cycles: h("div"), charts: h("div"), place: h("dl", { class: "facts" }), map: h("div", { class: "small-map" }),
    past: h("section", { class: "card past" }), commands: h("section", { class: "card commands" }), notes: h("section", { class: "card" }), hand: h("section", { class: "card", hidden: true }), messages: h("section", { class: "card messages" }),
  });
  const card = (title, ...children) => h("section", { class: "card padded" }, h("h2", {}, title), children);
  const focused = document.activeElement;
  $("device").replaceChildren(parts.head,
    h("div", { class: "device-columns" },
      h("div", { class: "column" }, card(t("latest_values"), parts.values, parts.cycles), card(t("history"), parts.charts)),
      h("div", { class: "column" }, card(t("place"), parts.map, parts.place), parts.commands, parts.hand, parts.notes, parts.past, parts.messages)));
  drawPlace();
  startCharts(parts.charts, known.device);
  startCycles(parts.cycles, name, state.kinds.get(known.device.kind));
  startPast(parts.past, name);
  startCommands(parts.commands, known.device);
  startNotes(parts.notes, name);
  startHand(parts.hand, known.device, () => {
    refreshCharts();
    redraw();
  });
  // The field of a note stays and is moved; what was moved has lost the focus.
  if (focused?.isConnected) focused.focus({ preventScroll: true });
  startMessages(parts.messages, name);
  drawMap();
}

function drawHead() {
  const head = parts.head;
  const back = moveLink({ device: null, hours: null, from: null, until: null, compare: null }, { class: "plain-link back" }, t("devices"));
  if (!known?.device) {
    head.replaceChildren(h("p", { class: "empty", role: "status" }, known?.failed?.() ?? t("loading")), back);
    return;
  }
  const { device, windows } = known;
  const kind = state.kinds.get(device.kind);
  const is = statusOf(name);
  const latest = state.latest.get(name);
  const where = [said(device.district_title), said(device.street_title)].filter(Boolean);
  const focused = head.contains(document.activeElement) && document.activeElement.dataset.focus;
  head.replaceChildren(
    badge(kind?.icon, is),
    h("div", {},
      h("h1", { id: "device-title" }, bdi(titleOf(device))),
      h("p", { class: "meta" }, h("span", {}, said(kind?.title, device.kind)), [device.name, ...where].map((one) => h("span", {}, bdi(one)))),
      h("p", { class: "meta state-line" }, h("span", { class: `tag is-${is}` }, statusText(is)), life(device),
        latest ? h("span", {}, t("last_heard"), " ", h("time", { datetime: latest.received_at, title: full(new Date(latest.received_at)), "data-since": latest.received_at })) : h("span", {}, t("no_reading")),
        latest && h("span", {}, t("expected_every", { n: spoken(latest.interval_s) }))),
      windows.map(maintenance),
      alertsOf(name).flatMap((alert) => [
        h("p", { class: `meta alert-line is-${alert.severity}` },
          h("span", { class: `tag is-${alert.severity}` }, t(`severity_${alert.severity}`)),
          h("a", { href: `/alerts/${alert.id}`, class: "plain-link" }, sentence(alert)),
          h("button", { type: "button", class: "quiet", "data-focus": `why ${alert.id}`, "aria-expanded": String(reasons.has(alert.id)), onclick: () => askWhy(alert) }, t("why"))),
        reasons.has(alert.id) && why(reasons.get(alert.id)),
      ])),
    h("div", { class: "head-actions" }, back,
      may("enter-readings") && !device.retired_at && enterable(kind).length > 0 && h("button", { type: "button", class: "quiet", "data-focus": "reading", onclick: () => enterReading(device) }, t("enter_reading")),
      may("install-devices") && !device.retired_at && h("button", { type: "button", class: "quiet", "data-focus": "edit", onclick: edit }, t("edit"))));
  updateTimes(head);
  if (focused) head.querySelector(`[data-focus="${focused}"]`)?.focus();
}

const spoken = (seconds) => (seconds >= 5400 ? tn("hours", Math.round(seconds / 3600)) : seconds >= 90 ? tn("minutes", Math.round(seconds / 60)) : tn("seconds", Math.round(seconds)));

function life(device) {
  if (device.retired_at) return h("span", { class: "tag is-none" }, t("life_retired", { time: full(new Date(device.retired_at)) }));
  return device.life === "planned" && h("span", { class: "tag is-none" }, t("life_planned"));
}

async function edit() {
  const { editDevice } = await import("./edit.js");
  editDevice(known.device, (changed) => {
    state.devices.set(changed.name, changed);
    // Taking it back is offered for a while: another device may be shown by then.
    if (changed.name !== name || !known?.device) return;
    known.device = changed;
    parts = {};
    redraw();
  });
}

// Rules do not look while people work on it.
function maintenance(window) {
  const times = { from: full(new Date(window.from_at)), until: full(new Date(window.until_at)), reason: `\u2068${window.reason}\u2069` };
  return h("p", { class: "meta note maintenance" }, t(window.state === "running" ? "maintenance_running" : "maintenance_planned", times));
}

// A second click closes the answer again.
async function askWhy(alert) {
  if (!reasons.delete(alert.id)) {
    try {
      reasons.set(alert.id, await get(`/api/v1/rules/${encodeURIComponent(alert.rule)}/explain?device=${encodeURIComponent(alert.device)}`));
    } catch (error) {
      reasons.set(alert.id, { failed: reasonOf(error) });
    }
  }
  redraw();
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
  const kind = state.kinds.get(known.device.kind);
  parts.values.replaceChildren(...(latest && kind ? values(kind, latest) : [h("p", { class: "empty" }, t("no_reading"))]));
  updateTimes(parts.values);
}

function drawPlace() {
  const { device, children } = known;
  const fact = (label, ...content) => content.some(Boolean) && h("div", {}, h("dt", {}, label), h("dd", {}, content));
  const links = (names) => names.flatMap((one, i) => [i ? ", " : "", deviceLink(one, { class: "plain-link" }, bdi(one))]);
  const more = children.length > MOST_CHILDREN;
  const at = device.lat !== null && `${device.lat.toFixed(5)}, ${device.lon.toFixed(5)}`;
  parts.place.replaceChildren(...[
    fact(t("district"), said(device.district_title) && bdi(said(device.district_title))),
    fact(t("street"), said(device.street_title) && bdi(said(device.street_title))),
    fact(t("position"), at && h("a", { class: "plain-link", href: `geo:${device.lat},${device.lon}` }, bdi(at))),
    fact(t("fed_by"), device.parent && links([device.parent])),
    fact(t("relayed_by"), device.relays.length > 0 && links(device.relays)),
    fact(t("feeds"), children.length > 0 && [...links(children.slice(0, MOST_CHILDREN).map((one) => one.name)), more ? " …" : ""]),
    fact(t("serial"), device.serial && bdi(device.serial)),
    fact(t("installed"), device.installed_at && full(new Date(device.installed_at))),
    ...attributes(device),
  ].filter(Boolean));
}

function attributes(device) {
  const kind = state.kinds.get(device.kind);
  return Object.entries(device.attributes).map(([key, raw]) => {
    const declared = kind?.attributes.find((one) => one.name === key);
    const text = typeof raw === "boolean" ? t(raw ? "yes" : "no") : typeof raw === "number" ? number(raw, 3) : typeof raw === "string" ? raw : JSON.stringify(raw);
    return h("div", {}, h("dt", {}, said(declared?.label, key)), h("dd", {}, bdi(text), declared?.unit ? ` ${declared.unit}` : ""));
  });
}

async function drawMap() {
  const { device } = known;
  const box = parts.map;
  if (device.lat === null) {
    box.replaceChildren(h("p", { class: "empty" }, t("no_position")));
    return;
  }
  try {
    const { smallMap } = await import("../map/small.js");
    const icon = state.kinds.get(device.kind)?.icon;
    const made = await smallMap(box, { points: [{ lat: device.lat, lon: device.lon, title: titleOf(device), status: statusOf(name), icon }], me: null });
    if (parts.map === box) map = made;
    else made.remove();
  } catch {
    box.hidden = true; // its position is said in words below
  }
}

// Events of the stream; only those of the device on the screen matter.
export const hearDevice = {
  alert({ alert }) {
    if (alert.device !== name) return;
    putAlert(alert);
    if (parts.past) startPast(parts.past, name);
    refreshSoon();
    redraw();
  },
  latest({ items }) {
    const mine = items.find((one) => one.device === name);
    if (!mine) return;
    state.latest.set(name, mine);
    hearReading(mine);
    redraw();
    refreshSoon();
  },
  command: (command) => command.device === name && parts.commands && hearCommand(command),
  missed: () => name && load(),
};

function refreshSoon() {
  timer ??= setTimeout(() => {
    timer = null;
    refreshCharts();
    hearHand();
  }, REFRESH_MS);
}
