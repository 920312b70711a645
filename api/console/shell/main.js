// The console: loads what there is, follows what comes, and draws. Each part of the screen draws itself from `state`.

import { go, startAddress } from "./address.js";
import { $, h, oncePerFrame } from "./dom.js";
import { eachPage, get, remove } from "./http.js";
import * as i18n from "./i18n.js";
import { t, tn } from "./i18n.js";
import { drawCounters } from "./counters.js";
import { follow } from "./live.js";
import { drawList, startList } from "../device/list.js";
import { drawMap, startMap } from "../map/map.js";
import { drawPanel, refreshPanel, startPanel } from "../device/panel.js";
import { drawQueue, forgetPast, hearOfPast, refreshDetails, startQueue, updateTimes, welcome } from "../queue/queue.js";
import { clearAlerts, putAlert, saysSilent, setClock, state } from "./state.js";

const MOST_DEVICES = 5000;
const MOST_ALERTS = 2000;
const TICK_MS = 10_000;
const RETRY_MS = 3000;

let connected = null;
// Alerts heard while a list of them is under way are newer than the list; one array for each list.
const meanwhile = new Set();

const draw = oncePerFrame(() => {
  if (!i18n.language()) return;
  drawCounters();
  drawQueue();
  drawList();
  drawMap();
  drawPanel();
  updateTimes();
});

// A page that is opened during an outage fills itself once the platform is back.
async function begin() {
  try {
    await loadAll();
    drawLink();
  } catch (error) {
    report(error);
    setTimeout(begin, RETRY_MS);
  }
}

async function loadAll() {
  const known = loadKindsAndTowns();
  await Promise.all([loadAlerts(known), known, loadDevices(), loadLatest(), loadWho()]);
  state.loaded = true;
  draw();
}

async function loadKindsAndTowns() {
  const [kinds, towns] = await Promise.all([get("/api/v1/kinds"), get("/api/v1/municipalities")]);
  state.kinds = new Map(kinds.items.map((kind) => [kind.name, kind]));
  state.towns = new Map(towns.items.map((town) => [town.name, town]));
  place();
}

async function loadWho() {
  const { name } = await get("/api/v1/session");
  $("who-name").textContent = name;
  $("who").hidden = false;
}

async function signOut() {
  await remove("/api/v1/session");
  sessionStorage.clear();
  location.assign("/signin");
}

async function loadDevices() {
  state.complete = await eachPage("/api/v1/devices", MOST_DEVICES, (items) => {
    for (const device of items) state.devices.set(device.name, device);
    draw();
  });
}

const loadLatest = () => eachPage("/api/v1/latest", MOST_DEVICES, putLatest);

// `known`: what must be there before an alert is drawn.
async function loadAlerts(known) {
  const found = [];
  const heard = [];
  const first = !state.alerts.size;
  meanwhile.add(heard);
  try {
    await eachPage("/api/v1/alerts?state=firing", MOST_ALERTS, async (items) => {
      found.push(...items);
      await known;
      if (!first) return;
      items.forEach(putAlert);
      draw();
    });
  } finally {
    meanwhile.delete(heard);
  }
  clearAlerts();
  [...found, ...heard].forEach(putAlert);
  draw();
}

function putLatest(items) {
  for (const latest of items) {
    const known = state.latest.get(latest.device);
    if (!known || Date.parse(latest.received_at) >= Date.parse(known.received_at)) state.latest.set(latest.device, latest);
  }
  draw();
}

const hear = {
  hello({ now, speed }) {
    setClock(now, speed);
    const again = connected === false;
    connected = true;
    drawLink();
    forgetPast();
    if (again) loadLatest().catch(report);
    // What happened between the first list and this is in neither.
    else loadAlerts().catch(report);
    draw();
  },
  alert({ event, alert }) {
    const fresh = putAlert(alert);
    hearOfPast(alert);
    for (const heard of meanwhile) heard.push(alert);
    if (fresh && event.type === "opened" && !alert.inhibited_by) announce(alert);
    // Whether a device is silent decides how its other alerts are shown.
    if (saysSilent(alert)) refetch(alert.device).catch(report);
    refreshDetails(alert.id);
    draw();
  },
  latest({ items }) {
    putLatest(items);
    if (items.some((one) => !state.devices.has(one.device))) loadNew().catch(report);
    refreshPanel(new Set(items.map((one) => one.device)));
  },
  missed() {
    loadAlerts().catch(report);
  },
  lost() {
    connected = false;
    drawLink();
  },
  refused() {
    // Perhaps the sign-in has run out: a request notices, a stream is not told why.
    get("/api/v1/municipalities").catch(() => {});
  },
};

async function refetch(device) {
  const { items } = await get(`/api/v1/alerts?state=firing&device=${encodeURIComponent(device)}`);
  items.forEach(putAlert);
  draw();
}

let loadingNew = false;

// A device that was registered since the page was opened has spoken.
async function loadNew() {
  if (loadingNew || state.devices.size >= MOST_DEVICES) return;
  loadingNew = true;
  try {
    await loadDevices();
  } finally {
    loadingNew = false;
  }
}

function announce(alert) {
  if (!i18n.language()) return;
  welcome(alert.id);
  const severity = t(`severity_${alert.severity}`);
  $("announce").replaceChildren(h("p", {}, t("announce", { severity, summary: i18n.said(alert.summary, alert.rule) })));
}

function drawLink() {
  if (!i18n.language()) return;
  $("link").className = `link ${connected ? "on" : "off"}`;
  $("link").textContent = t(connected ? "live" : "connecting");
  if (state.loaded || connected === false) {
    $("lost").hidden = connected !== false;
    $("lost").textContent = t("lost");
  }
  $("fast").hidden = state.speed === 1;
  $("fast").textContent = tn("fast", state.speed);
}

function place() {
  const towns = [...state.towns.values()];
  if (towns.length) i18n.place(towns[0]);
  $("town").textContent = towns.length === 1 ? i18n.said(towns[0].title, towns[0].name) : "";
}

function drawLanguages() {
  $("languages").replaceChildren(...i18n.languages().map(({ code, name }) => h("button", {
    type: "button", lang: code, "aria-pressed": String(code === i18n.language()), onclick: () => speak(code),
  }, name)));
}

async function speak(code) {
  try {
    await i18n.use(code);
  } catch (error) {
    report(error);
    setTimeout(() => speak(code), RETRY_MS);
    return;
  }
  i18n.translatePage();
  drawLanguages();
  place();
  drawLink();
  draw();
}

function report(error) {
  $("lost").hidden = false;
  $("lost").textContent = t("failed", { reason: error.message });
}

startAddress(draw);
startMap({ openDevice: (device) => go({ device }) });
startQueue({ redraw: draw });
startList({ redraw: draw });
startPanel();
$("sign-out").addEventListener("click", () => signOut().catch(report));
follow((name, message) => hear[name](message));
begin();
await speak();
setInterval(() => updateTimes(), TICK_MS);
