// What follows from an order, without the page: what is due, how far it is, which steps may come. Pure.

import { numberOf } from "../shell/numbers.js";

const EARTH_M = 6_371_008.8;
const MINE = new Set(["open", "assigned"]);
const STATES = {
  accept: "accepted", "on-the-way": "on-the-way", start: "in-progress", done: "done", cancel: "cancelled", decline: "open",
};

export const OVER = new Set(["done", "cancelled"]);
export const LATE_POSITION_MS = 5 * 60_000;

// Which deadline counts now: that of accepting it while nobody has, else that of the repair.
export function deadline(order, now) {
  if (OVER.has(order.state)) return null;
  const response = !order.accepted_at && order.response_due_at;
  const at = response || order.repair_due_at;
  return at ? { name: response ? "response" : "repair", at, late: Date.parse(at) <= now } : null;
}

// Metres between two points on the sphere.
export function metresBetween(one, other) {
  const rad = Math.PI / 180;
  const lat = Math.sin(((other.lat - one.lat) * rad) / 2);
  const lon = Math.sin(((other.lon - one.lon) * rad) / 2);
  const a = lat * lat + Math.cos(one.lat * rad) * Math.cos(other.lat * rad) * lon * lon;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(a)));
}

export const isPlaced = (order) => typeof order.lat === "number" && typeof order.lon === "number";

export const farFrom = (order, position) => (position && isPlaced(order) ? metresBetween(order, position) : null);

// The nearest first, or what is due first; what has neither comes last, the worse before the less bad.
export function sorted(orders, by, position, now, severities) {
  const due = (order) => Date.parse(deadline(order, now)?.at) || Infinity;
  const far = (order) => farFrom(order, position) ?? Infinity;
  const key = by === "distance" && position ? far : due;
  const compare = (a, b) => (a === b ? 0 : a - b);
  return [...orders].sort((a, b) =>
    compare(key(a), key(b)) || severities.indexOf(a.severity) - severities.indexOf(b.severity) || a.id - b.id);
}

// An order as it will be once what waits for the network has been sent.
export function withWaiting(order, entries, me) {
  return entries.filter((entry) => entry.order === order.id && !entry.problem).reduce((seen, { step, at }) => {
    const state = STATES[step];
    if (!state) return seen;
    const mine = step === "decline" ? { assignee: null } : { assignee: seen.assignee ?? me };
    return { ...seen, ...mine, state, accepted_at: step === "accept" ? at : seen.accepted_at, ahead: true };
  }, order);
}

// Steps that the reader may take, the next one first. `reader`: {user, teams, directs}.
export function stepsOf(order, reader) {
  if (OVER.has(order.state)) return [];
  const own = order.assignee ? order.assignee === reader.user : MINE.has(order.state);
  if (!own && !reader.directs) return [];
  const steps = { open: ["accept"], assigned: ["accept", "decline"], accepted: ["on-the-way", "start", "decline"], "on-the-way": ["start", "decline"], "in-progress": ["done", "decline"] };
  return steps[order.state] ?? [];
}

export const mayReport = (order, reader) => stepsOf(order, reader).some((step) => step === "done" || step === "start");

// The id that a device's code says: as it is, or at the end of an address of its page; null for anything else.
export function idOf(scanned) {
  const text = scanned.trim();
  const path = /\/devices\/([^/?#]+)/.exec(text)?.[1];
  let name = path ?? text;
  try {
    name = decodeURIComponent(name);
  } catch {
    return null;
  }
  return /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/.test(name) ? name : null;
}

// A report as the API takes it: unanswered points and empty rows are left out.
export function reportOf({ found = "", done = "", parts = [], answers = {} }) {
  return {
    found: found.trim(),
    done: done.trim(),
    parts: parts.filter((part) => part.name?.trim()).map((part) => ({
      name: part.name.trim(), quantity: numberOf(part.quantity ?? "", false) > 0 ? numberOf(part.quantity, false) : 1, unit: part.unit?.trim() ?? "",
    })),
    checklist: Object.entries(answers).filter(([, one]) => one.answer).map(([item, { answer, remark }]) => ({ item, answer, remark: remark?.trim() ?? "" })),
  };
}
