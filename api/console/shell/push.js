// Messages on this device, by the browser's push service: whether they can come, whether they do, and asking for them.

import { t } from "./i18n.js";
import { get, post, remove } from "./http.js";
import { canWork } from "./worker.js";

const KEY = "/api/v1/push/key";
const OWN = "/api/v1/session/push";
const KEPT = "nabd.push";

// Whether browser and platform can do it.
export async function canTell() {
  if (!canWork() || !("PushManager" in window) || !("Notification" in window)) return false;
  return Boolean(await key());
}

// The platform's public key; null where it sends no such messages.
async function key() {
  try {
    return (await get(KEY)).key ?? null;
  } catch {
    return null;
  }
}

const registered = () => navigator.serviceWorker.ready;

export async function isTold() {
  const subscription = await (await registered()).pushManager.getSubscription();
  return Boolean(subscription) && remembered() !== null;
}

// Asks the reader, then the push service, then tells the platform where messages for them go.
export async function tellHere() {
  if ((await Notification.requestPermission()) !== "granted") throw new Error(t("push_denied"));
  const { pushManager } = await registered();
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: await key() });
  const { id } = await post(OWN, subscription.toJSON());
  remember(id);
}

export async function stopTelling() {
  const subscription = await (await registered()).pushManager.getSubscription();
  const id = remembered();
  if (id) await remove(`${OWN}/${id}`);
  await subscription?.unsubscribe();
  remember(null);
}

function remembered() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage may be forbidden
  }
}

function remember(id) {
  try {
    if (id === null) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, String(id));
  } catch {
    // as above
  }
}
