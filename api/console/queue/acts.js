// What people do about alerts, one or many; what can be taken back can be taken back by a button or by a key.

import { reasonOf } from "../shell/action.js";
import { may, report } from "../shell/frame.js";
import { post } from "../shell/http.js";
import { t, tn } from "../shell/i18n.js";
import { openDialog } from "../shell/dialog.js";
import { toast } from "../shell/toast.js";
import { reload, soon } from "./list.js";

let last = null;
// Who shows more of an alert than the list does, and reads it again after something was done.
const followers = new Set();

export const follow = (refresh) => followers.add(refresh);

// Says what was done, with the way back.
export function done(text, back) {
  const undo = async () => {
    if (last === undo) last = null;
    gone();
    try {
      await back();
      toast(t("undone"));
    } catch (error) {
      failed(error);
    }
    await again();
  };
  last = back ? undo : null;
  for (const refresh of followers) refresh();
  const gone = toast(text, back ? { action: undo, label: t("undo") } : {});
}

export const undoLast = () => last?.();

export const failed = (error) => toast(t("failed", { reason: reasonOf(error) }), { failed: true });

async function again() {
  for (const refresh of followers) refresh();
  await reload().catch(report);
}

// Makes a thing of each, or of none: what was made before one was refused is taken back. Returns the things, and the
// way back.
export async function eachMade(wanted, make, unmake) {
  const things = [];
  const back = () => eachUndone(things, unmake);
  try {
    for (const one of wanted) things.push(await make(one));
  } catch (error) {
    await back().catch(() => {}); // that is said; why it was to be taken back is what counts
    throw error;
  }
  return { things, back };
}

// Takes each back, whatever becomes of the others, and says how many stay.
async function eachUndone(things, unmake) {
  const refused = (await Promise.allSettled(things.map(unmake))).filter(({ status }) => status === "rejected");
  if (!refused.length) return;
  toast(t("not_taken_back", { n: refused.length }), { failed: true });
  throw refused[0].reason;
}

// While it runs the button that began it cannot be pressed; what goes wrong is said.
export async function run(button, work) {
  if (button?.disabled) return;
  if (button) button.disabled = true;
  try {
    await work();
  } catch (error) {
    failed(error);
  } finally {
    if (button) button.disabled = false;
  }
}

export async function acknowledge(alerts) {
  const numbers = alerts.filter((one) => one.state === "firing" && !one.acknowledged_at).map(({ id }) => id);
  if (!numbers.length) return;
  const { changed, unchanged } = await post("/api/v1/alerts/acknowledge", { alerts: numbers });
  await again();
  if (changed.length) done(tn("acknowledged_n", changed.length), () => post("/api/v1/alerts/unacknowledge", { alerts: changed }));
  else if (unchanged.length) done(t("acknowledged_before"));
}

export async function take(alerts) {
  await assignEach(alerts, (alert) => post(`/api/v1/alerts/${alert.id}/take`));
}

export async function assign(alerts, to) {
  await assignEach(alerts, (alert) => post(`/api/v1/alerts/${alert.id}/assign`, { to }));
}

async function assignEach(alerts, give) {
  const changed = [];
  let refused = null;
  for (const alert of alerts) {
    try {
      await give(alert);
      changed.push(alert);
    } catch (error) {
      refused = error;
    }
  }
  soon();
  await again();
  const back = may("assign-alerts") ? () => eachUndone(changed, (one) => post(`/api/v1/alerts/${one.id}/assign`, { to: one.assigned_to })) : null;
  if (changed.length) done(tn("assigned_n", changed.length), back);
  if (refused) throw refused;
}

// The windows, fetched when they are first wanted. While one is on its way, or any is open, no other opens.
let opening = false;

const isOpen = () => document.querySelector("dialog[open]") !== null;

const opens = (fetched) => async (alerts) => {
  if (opening || isOpen()) return;
  opening = true;
  try {
    const open = await fetched();
    await open((content) => isOpen() || openDialog(content), alerts);
  } finally {
    opening = false;
  }
};

export const openAssign = opens(async () => (await import("./assigning.js")).openAssigning);
export const openSilence = opens(async () => (await import("./silencing.js")).openSilencing);
export const openWork = opens(async () => (await import("./ordering.js")).openOrdering);
export const openHandover = opens(async () => (await import("./handover.js")).ask);
