// Messages on this device, by the browser's push service: whether they can come, whether they do, and asking for them.

import { reader } from "./frame.js";
import { get, post, remove } from "./http.js";
import { t } from "./i18n.js";
import { canWork } from "./worker.js";

const KEY = "/api/v1/push/key";
const OWN = "/api/v1/session/push";
// Whom this browser tells: it may be somebody else's who signs in here.
const KEPT = "nabd.push";
// What stood there before it was a name.
const UNNAMED = "1";

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

// The worker that shows messages; it is registered with the page, and may be on its way.
const registered = () => navigator.serviceWorker.ready;

export async function isTold() {
  return Boolean(await subscribed()) && remembered() === reader().user;
}

async function subscribed() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return registration?.pushManager?.getSubscription();
}

// Sends a message to this browser, the way alerts come.
export async function tryHere() {
  await post(`${OWN}/test`, { endpoint: (await subscribed()).endpoint });
}

// Asks the reader, then the push service, then tells the platform where messages for them go.
export async function tellHere() {
  if ((await Notification.requestPermission()) !== "granted") throw new Error(t("push_denied"));
  const { pushManager } = await registered();
  const subscription = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: await key() });
  await post(OWN, subscription.toJSON());
  remember(reader().user);
}

// Says again where messages go: they belong to the session in which that was last said, and end with it. Whoever signs
// in where somebody else is told takes nothing from them by that.
export async function sayAgain() {
  if (!remembered() || !canWork()) return;
  const subscription = await subscribed();
  if (!subscription) return;
  if (remembered() === UNNAMED) await name(subscription);
  if (remembered() === reader().user) await post(OWN, subscription.toJSON());
}

// The platform knows whether it is the reader's. Nobody is told here any more where it is not: whose it is, is not known.
async function name(subscription) {
  const [{ items }, digest] = await Promise.all([get(OWN), digestOf(subscription.endpoint)]);
  if (items.some((one) => one.endpoint_digest === digest)) return remember(reader().user);
  await subscription.unsubscribe();
  return remember(null);
}

async function digestOf(text) {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Ends it for this browser; also when somebody signs out: messages are for a person, not for a phone.
export async function stopTelling() {
  if (!canWork()) return;
  const subscription = await subscribed();
  if (!subscription) return;
  try {
    await remove(OWN, { endpoint: subscription.endpoint });
  } finally {
    // Whatever the platform says: nothing more comes to this browser.
    await subscription.unsubscribe();
    remember(null);
  }
}

function remembered() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage may be forbidden
  }
}

function remember(user) {
  try {
    if (user) localStorage.setItem(KEPT, user);
    else localStorage.removeItem(KEPT);
  } catch {
    // as above
  }
}
