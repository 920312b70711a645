// What the screen knows: devices, their newest values, open alerts, the platform's clock. No drawing here.

export const SEVERITIES = ["critical", "major", "minor", "warning"];

// What a device's colour can say, worst first.
export const STATUSES = ["critical", "major", "silent", "minor", "warning", "ok", "none"];

export const state = {
  kinds: new Map(),
  towns: new Map(),
  devices: new Map(),
  latest: new Map(),
  alerts: new Map(),
  byDevice: new Map(),
  loaded: false,
  changes: 0, // grows with each alert that came, changed or ended, and after the network was away
  speed: 1,
};

let clock = { at: Date.now(), since: performance.now() };

export function setClock(now, speed) {
  clock = { at: Date.parse(now), since: performance.now() };
  state.speed = speed;
}

// The platform's time, which a demonstration may run faster than the wall's.
export const now = () => clock.at + (performance.now() - clock.since) * state.speed;

// An alert that has ended never opens again, whatever an answer says that is older than its end.
const ended = new Set();

// Keeps open alerts only; returns whether it was not open before.
export function putAlert(alert) {
  state.changes += 1;
  if (alert.state !== "firing") ended.add(alert.id);
  else if (ended.has(alert.id)) return false;
  const known = state.alerts.has(alert.id);
  const own = state.byDevice.get(alert.device) ?? new Map();
  if (alert.state === "firing") {
    state.alerts.set(alert.id, alert);
    own.set(alert.id, alert);
  } else {
    state.alerts.delete(alert.id);
    own.delete(alert.id);
  }
  if (own.size) state.byDevice.set(alert.device, own);
  else state.byDevice.delete(alert.device);
  return !known && alert.state === "firing";
}

// The open alerts of a device as a list of the platform has them; of those known before it was asked for (`before`),
// what is not in it has ended.
export function setAlerts(alerts, before) {
  const open = new Set(alerts.map(({ id }) => id));
  for (const alert of before) if (!open.has(alert.id)) putAlert({ ...alert, state: "resolved" });
  alerts.forEach(putAlert);
}

export const alertsOf = (device) => [...(state.byDevice.get(device)?.values() ?? [])];

// An alert of this family says that the device itself has gone quiet.
const saysSilent = (alert) => alert.family === "silent";

// What colours a device: silent, its worst open alert, ok, or nothing known yet.
export function statusOf(device) {
  const open = alertsOf(device);
  if (open.some(saysSilent)) return "silent";
  for (const severity of SEVERITIES) if (open.some((alert) => alert.severity === severity)) return severity;
  return state.latest.has(device) ? "ok" : "none";
}

export function position(device) {
  const latest = state.latest.get(device.name);
  // A suspect position is nowhere: the registered one is the better guess.
  const measured = latest && !latest.suspect?.includes("lat") ? latest.measurements : {};
  const lat = measured.lat ?? device.lat;
  const lon = measured.lon ?? device.lon;
  return lat === null || lon === null || lat === undefined || lon === undefined ? null : { lat, lon };
}
