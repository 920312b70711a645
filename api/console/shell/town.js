// What every page about the town knows in `state`: open alerts, and how many devices there are and report.
// Devices themselves are asked for where they are shown, never all of them.

import { redraw, report } from "./frame.js";
import { eachPage, get } from "./http.js";
import { clearAlerts, putAlert, saysSilent, state } from "./state.js";

const MOST_ALERTS = 2000;
const SUMMARY_MS = 10_000; // between two questions for the numbers because of news

let streamed = false;
// Alerts heard while a list of them is under way are newer than the list; one array for each list.
const meanwhile = new Set();

export const loadTown = (known) => Promise.all([loadAlerts(known), loadSummary()]);

async function loadSummary() {
  state.summary = await get("/api/v1/summary");
  redraw();
}

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
  for (const latest of items) state.latest.set(latest.device, latest);
  redraw();
}

let waiting = null;

// Whatever was heard may have changed the numbers.
const freshSummary = () => (waiting ??= setTimeout(() => ((waiting = null), loadSummary().catch(report)), SUMMARY_MS));

// Events of the stream for startPage.
export const hearTown = {
  hello() {
    // What happened between the first list and this is in neither.
    if (!streamed) loadAlerts().catch(report);
    freshSummary();
    state.changes += 1;
    streamed = true;
  },
  alert({ alert }) {
    putAlert(alert);
    for (const heard of meanwhile) heard.push(alert);
    // Whether a device is silent decides how its other alerts are shown.
    if (saysSilent(alert)) refetch(alert.device).catch(report);
    freshSummary();
    redraw();
  },
  latest({ items }) {
    putLatest(items);
    freshSummary();
  },
  missed() {
    loadAlerts().catch(report);
    freshSummary();
  },
};

async function refetch(device) {
  const { items } = await get(`/api/v1/alerts?state=firing&device=${encodeURIComponent(device)}`);
  items.forEach(putAlert);
  redraw();
}
