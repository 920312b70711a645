// The orders of the reader, and one with its details: from the platform, else as they were kept.

import { reasonOf } from "../shell/action.js";
import { may, redraw } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { dropValue, valueNames } from "../shell/kept.js";
import { ask, me } from "./answers.js";
import { waitingEntries } from "./outbox.js";
import { keepForReading } from "./reading.js";
import { withWaiting } from "./rules.js";

const OPEN = "/api/v1/work-orders?assignee=me&open=true&limit=200";
const LATELY = "/api/v1/work-orders?assignee=me&open=false&limit=10";
const PAGE = 50;

const known = { open: [], lately: [], loaded: false };
const details = new Map();
const versions = new Map();
let all = { query: null, items: [], next: null };

const addressOf = (id) => `/api/v1/work-orders/${id}`;
const ahead = (order) => withWaiting(order, waitingEntries(), me());

export const isLoaded = () => known.loaded;
export const mine = () => known.open.map(ahead);
export const lately = () => known.lately;

// Loads the reader's orders, then what is behind each of them, for times without network.
export async function loadMine() {
  const [open, over] = await Promise.all([ask(OPEN), ask(LATELY)]);
  Object.assign(known, { open: open.items, lately: over.items, loaded: true });
  redraw();
  keepDetails().catch(() => {});
}

async function keepDetails() {
  for (const { id, version } of known.open) {
    if (versions.get(id) === version) continue;
    await loadOrder(id);
    // What could not be had is asked for again the next time.
    if (details.get(id)?.order) versions.set(id, version);
  }
  await forgetOthers();
}

async function forgetOthers() {
  const wanted = new Set([...known.open, ...known.lately].map(({ id }) => `answer ${addressOf(id)}`));
  const kept = (await valueNames()).filter((name) => /^answer .*\/work-orders\/\d+$/.test(name));
  for (const name of kept) if (!wanted.has(name)) await dropValue(name);
}

// An order with its details: {order, alert} or {failed}; undefined while it is under way.
export function detailOf(id) {
  if (!details.has(id)) loadOrder(id);
  const found = details.get(id);
  return found?.order ? { ...found, order: ahead(found.order) } : found;
}

export async function loadOrder(id) {
  if (!details.has(id)) details.set(id, undefined);
  try {
    const order = await ask(addressOf(id));
    const [alert] = await Promise.all([
      order.alerts.length ? ask(`/api/v1/alerts/${order.alerts[0]}`).catch(() => null) : null,
      may("enter-readings") && keepForReading(order.device),
    ]);
    details.set(id, { order, alert });
    known.open = known.open.map((one) => (one.id === id ? { ...one, ...order } : one));
  } catch (error) {
    if (!details.get(id)?.order) details.set(id, { failed: reasonOf(error) });
  }
  redraw();
}

export const forgetFailed = () => details.forEach((found, id) => found?.failed && details.delete(id));

// Orders of everybody, by the filters of the address: {items, next}. A page at a time.
export function allBy(query) {
  if (all.query !== query || all.stale) {
    // What is shown stays until the new list is there.
    all = { query, items: [], shown: all.query === query ? all.items : [], next: `/api/v1/work-orders?limit=${PAGE}${query}` };
    more();
  }
  return all.shown ? { ...all, items: all.shown } : all;
}

export const refreshAll = () => (all.stale = true);

export async function more() {
  const asked = all;
  const url = asked.next;
  if (!url || asked.loading) return;
  asked.loading = true;
  try {
    const page = await get(url);
    Object.assign(asked, { items: [...asked.items, ...page.items], shown: null, next: page.next, failed: null });
  } catch (error) {
    asked.failed = reasonOf(error);
  }
  asked.loading = false;
  if (asked === all) redraw();
}
