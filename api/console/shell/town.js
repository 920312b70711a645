// The whole town in `state`: devices, newest values, open alerts. Loads what there is, follows what comes.

import { redraw, report } from "./frame.js";
import { eachPage, get } from "./http.js";
import { clearAlerts, putAlert, saysSilent, state } from "./state.js";

const MOST_DEVICES = 5000;
const MOST_ALERTS = 2000;

let streamed = false;
// Alerts heard while a list of them is under way are newer than the list; one array for each list.
const meanwhile = new Set();

export const loadTown = (known) => Promise.all([loadAlerts(known), loadDevices(), loadLatest()]);

async function loadDevices() {
  state.complete = await eachPage("/api/v1/devices", MOST_DEVICES, (items) => {
    for (const device of items) state.devices.set(device.name, device);
    redraw();
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
      redraw();
    });
  } finally {
    meanwhile.delete(heard);
  }
  clearAlerts();
  [...found, ...heard].forEach(putAlert);
  redraw();
}

function putLatest(items) {
  for (const latest of items) {
    const known = state.latest.get(latest.device);
    if (!known || Date.parse(latest.received_at) >= Date.parse(known.received_at)) state.latest.set(latest.device, latest);
  }
  redraw();
}

// Events of the stream for startPage.
export const hearTown = {
  hello() {
    if (streamed) loadLatest().catch(report);
    // What happened between the first list and this is in neither.
    else loadAlerts().catch(report);
    streamed = true;
  },
  alert({ alert }) {
    putAlert(alert);
    for (const heard of meanwhile) heard.push(alert);
    // Whether a device is silent decides how its other alerts are shown.
    if (saysSilent(alert)) refetch(alert.device).catch(report);
    redraw();
  },
  latest({ items }) {
    putLatest(items);
    if (items.some((one) => !state.devices.has(one.device))) loadNew().catch(report);
  },
  missed() {
    loadAlerts().catch(report);
  },
};

async function refetch(device) {
  const { items } = await get(`/api/v1/alerts?state=firing&device=${encodeURIComponent(device)}`);
  items.forEach(putAlert);
  redraw();
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
