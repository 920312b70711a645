// Steps, reports and photos that wait for the network: kept on the phone, sent in order, each once, with the time
// at which it was done. What the platform refuses stays until the reader has seen why.
//
// An entry: {id, who, order, device, group, step, url, body or file, key, at, problem}. Entries of one group (an order, a
// device) come one after the other: what follows a refused one is held with it.

import { get, newKey, patch, post, upload } from "../shell/http.js";
import { allWaiting, dropWaiting, keepWaiting } from "../shell/kept.js";
import { isAway, me } from "./answers.js";
import { instant } from "./clock.js";

const AGAIN = new Set([408, 425, 429, 500]);
const UNFIT = new Set([413, 422]);
const AGAIN_MS = 15_000;
// A network that does not answer must not hold the reader up: the step is kept already.
const PATIENCE_MS = 3000;

let entries = [];
let changed = () => {};
let sent = () => {};
let sending = null;
let unsaved = 0;
let started = false;

export const waitingEntries = () => entries.filter(({ who }) => who === me());

// `changed`: something waits, or no longer; `sent(entry)`: one arrived.
export async function startOutbox(handlers) {
  entries = await allWaiting().catch(() => []);
  if (started) return;
  started = true;
  ({ changed, sent } = handlers);
  addEventListener("online", () => sendAll());
  document.addEventListener("visibilitychange", () => document.hidden || sendAll());
  setInterval(() => waitingEntries().length && sendAll(), AGAIN_MS);
  changed();
}

// Keeps one to be sent; `timed` names the member of its body that says when it was done. Returns its id.
// Without storage it lives as long as the page.
export async function put({ body, timed = "happened_at", ...given }) {
  const at = new Date(instant()).toISOString();
  const entry = { who: me(), key: newKey(), at, body: body && (timed ? { ...body, [timed]: at } : body), ...given };
  try {
    entry.id = await keepWaiting(entry);
  } catch {
    entry.id = `unsaved ${(unsaved += 1)}`;
  }
  if (!entries.some(({ id }) => id === entry.id)) entries.push(entry);
  changed();
  return entry.id;
}

// What became of an entry after a try to send it: null where it arrived.
export async function tried(id) {
  const kept = () => entries.find((entry) => entry.id === id);
  // What was under way already began without it.
  const sentAll = sendAll().then(() => kept() && !kept().problem && sendAll());
  await Promise.race([sentAll, new Promise((done) => setTimeout(done, PATIENCE_MS))]);
  return kept() ?? null;
}

// Sends what waits; returns whether everything arrived. Two calls at once are one, and so are two pages.
export const sendAll = () => (sending ??= alone(sendEach).catch(() => false).finally(() => (sending = null)));

const alone = (work) => (navigator.locks ? navigator.locks.request("nabd outbox", work) : work());

async function sendEach() {
  await reread();
  const refused = new Set(waitingEntries().filter(({ file, problem }) => problem && !(file && UNFIT.has(problem.status))).map((entry) => entry.group));
  for (const entry of waitingEntries()) {
    if (refused.has(entry.group)) continue;
    try {
      await send(entry);
    } catch (error) {
      if (isAway(error) || AGAIN.has(error.status) || error.status === 401) break;
      await refuse(entry, error);
      // A photo that is none must not hold the report back.
      if (!(entry.file && UNFIT.has(error.status))) refused.add(entry.group);
      changed();
      continue;
    }
    await forget(entry);
    // It has arrived, whatever becomes of reading the order anew.
    await Promise.resolve(sent(entry)).catch(() => {});
    changed();
  }
  changed();
  return !waitingEntries().length;
}

// Another page of ours may have sent some.
async function reread() {
  const kept = await allWaiting().catch(() => null);
  if (kept) entries = [...kept, ...entries.filter(({ id }) => typeof id === "string")];
}

async function send({ url, body, file, key, method, step }) {
  if (file) return upload(url, file);
  if (method === "PATCH") return patch(url, body);
  return post(url, body, key).catch((error) => (step === "install" && error.status === 409 ? sameDevice(body, error) : Promise.reject(error)));
}

// Registering takes no key: where the answer was lost, the device is there already, as it was registered.
async function sameDevice(body, error) {
  const there = body.name && await get(`/api/v1/devices/${encodeURIComponent(body.name)}`);
  const same = there && there.kind === body.kind && there.municipality === body.municipality
    && Math.abs(Date.parse(there.installed_at) - Date.parse(body.installed_at)) < 1000;
  if (!same) throw error;
  return there;
}

async function refuse(entry, { message, detail, status, confirm, errors }) {
  entry.problem = { title: message, detail, status, confirm, fault: errors?.[0], last: status === 409 ? await lastMove(entry) : null };
  await save(entry);
}

// Who brought the order where it is: that explains a refusal better than its state does.
async function lastMove({ order }) {
  if (!order) return null;
  try {
    const { events } = await get(`/api/v1/work-orders/${order}`);
    return events.filter(({ type }) => MOVES.has(type)).at(-1) ?? null;
  } catch {
    return null;
  }
}

const MOVES = new Set(["assigned", "unassigned", "accepted", "declined", "on-the-way", "in-progress", "done", "cancelled", "reopened"]);

const save = (entry) => (typeof entry.id === "string" ? null : keepWaiting(entry).catch(() => {}));

async function forget(entry) {
  entries = entries.filter(({ id }) => id !== entry.id);
  if (typeof entry.id !== "string") await dropWaiting(entry.id).catch(() => {});
}

// What was refused, by group: each with all that is held behind it.
export function refusals() {
  const groups = Map.groupBy ? Map.groupBy(waitingEntries(), ({ group }) => group) : grouped(waitingEntries());
  return [...groups.values()].filter((own) => own.some(({ problem }) => problem));
}

function grouped(all) {
  const groups = new Map();
  for (const entry of all) groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry]);
  return groups;
}

export async function dismiss(own) {
  for (const entry of own) await forget(entry);
  changed();
}

// What a refusal asks to be confirmed, by the member of its body, is confirmed with that.
export async function tryAgain(own) {
  for (const entry of own) {
    if (entry.problem?.confirm) entry.body[entry.problem.confirm] = true;
    delete entry.problem;
    await save(entry);
  }
  await sendAll();
}
