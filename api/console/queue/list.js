// What the queue lists: a page of what the address asks for, kept right by what is heard. No drawing here.

import { reasonOf } from "../shell/action.js";
import { place } from "../shell/address.js";
import { alertQuery, fits } from "../shell/filters.js";
import { reader, redraw, report } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { SEVERITIES } from "../shell/state.js";

const PAGE = 50;
const MOST = 1000;
// How long what was heard waits for more of it before the list is asked for again.
const GATHER_MS = 1500;

export const ORDERS = ["worst", "oldest", "newest", "deadline"];
export const order = () => (ORDERS.includes(place().order) ? place().order : "worst");

// items: the alerts listed, in their order. next: address of those after them. counts: of all that is asked for,
// whatever the severity; open: of all open ones, asked for or not.
export const list = { items: [], next: null, counts: null, open: null, loaded: false, failed: null, asked: null };

// Alerts heard while a list is under way are newer than the list; one array for each list.
const meanwhile = new Set();
let known = Promise.resolve();
let waiting = null;
let latest = 0;
let shown = 0;
let requested = null;

const asked = () => `${alertQuery(place())}&order=${order()}`;

export function startList(ready) {
  known = ready;
  return reload();
}

// Whether the address asks for something else than what was asked for last.
export const isStale = () => requested !== null && requested !== asked();

// Reads the list again. What comes is shown unless something newer is, or something else is wanted by now: the first
// list does not wait for the one that is read when the stream begins.
export async function reload() {
  clearTimeout(waiting);
  waiting = null;
  const query = asked();
  requested = query;
  const number = (latest += 1);
  const heard = [];
  meanwhile.add(heard);
  try {
    const limit = list.asked === query ? Math.min(Math.max(list.items.length, PAGE), MOST) : PAGE;
    const page = await get(`/api/v1/alerts?${query}&limit=${limit}`);
    await known;
    if (number < shown || query !== requested) return;
    shown = number;
    Object.assign(list, { items: page.items, next: page.next, loaded: true, failed: null, asked: query });
    heard.forEach(apply);
    redraw();
    // Counting is dearer than listing: it is done once where lists follow each other.
    if (number === latest) await readCounts();
  } catch (error) {
    if (number === latest) list.failed = reasonOf(error);
    throw error;
  } finally {
    meanwhile.delete(heard);
    redraw();
  }
}

async function readCounts() {
  const wanted = alertQuery(place());
  wanted.delete("severity");
  const all = "state=firing";
  const [open, counts] = await Promise.all([get(`/api/v1/alerts/counts?${all}`), `${wanted}` === all ? null : get(`/api/v1/alerts/counts?${wanted}`)]);
  list.open = open;
  list.counts = counts ?? open;
  redraw();
}

// Those after the ones that are listed.
export async function more() {
  const { next, asked: query } = list;
  const page = await get(next);
  if (list.asked !== query || list.next !== next) return;
  const there = new Set(list.items.map(({ id }) => id));
  list.items.push(...page.items.filter(({ id }) => !there.has(id)));
  list.next = page.next;
  redraw();
}

// An alert as it is now. What only the server can tell follows with the list that is read again soon.
export function put(alert) {
  for (const heard of meanwhile) heard.push(alert);
  apply(alert);
  soon();
}

export function soon() {
  waiting ??= setTimeout(() => reload().catch(report), GATHER_MS);
}

function apply(alert) {
  const wanted = fits(place(), alert, reader().user);
  const at = list.items.findIndex(({ id }) => id === alert.id);
  if (at >= 0) list.items.splice(at, 1, ...(wanted === false ? [] : [alert]));
  else if (wanted) insert(alert);
}

function insert(alert) {
  const at = list.items.findIndex((other) => before(alert, other));
  if (at >= 0) list.items.splice(at, 0, alert);
  else if (!list.next) list.items.push(alert);
}

const KEYS = {
  worst: (alert) => [alert.state === "firing" && alert.inhibited_by ? 1 : 0, SEVERITIES.indexOf(alert.severity), -Date.parse(alert.opened_at), alert.id],
  oldest: (alert) => [Date.parse(alert.opened_at), alert.id],
  newest: (alert) => [-alert.id],
  deadline: (alert) => [alert.work_due ? Date.parse(alert.work_due) : Infinity, alert.id],
};

function before(one, other) {
  const [a, b] = [KEYS[order()](one), KEYS[order()](other)];
  const i = a.findIndex((value, at) => value !== b[at]);
  return i >= 0 && a[i] < b[i];
}

// Whether somebody goes there already, or is to.
export const isWorked = (alert) => alert.work_order && !["done", "cancelled"].includes(alert.work_state);

export const find = (id) => list.items.find((alert) => alert.id === id);

// How many there are by severity, and in all: [alerts, unseen].
export function sums(counts) {
  const found = Object.fromEntries(["all", ...SEVERITIES].map((name) => [name, { alerts: 0, unseen: 0 }]));
  for (const one of counts?.items ?? []) {
    for (const name of ["all", one.severity]) {
      found[name].alerts += one.alerts;
      found[name].unseen += one.unseen;
    }
  }
  return found;
}
