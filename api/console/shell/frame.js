// What every page has: who reads, language, town, live stream, banners. A page gives what is its own.

import { $, h, oncePerFrame } from "./dom.js";
import { drawEdition, hearEdition, startEdition } from "./edition.js";
import { get, remove } from "./http.js";
import * as i18n from "./i18n.js";
import { t, tn } from "./i18n.js";
import { follow } from "./live.js";
import { now, setClock, state } from "./state.js";
import { updateTimes } from "./times.js";
import { startWorker } from "./worker.js";

const TICK_MS = 10_000;
const RETRY_MS = 3000;
const TOLD_MS = 30_000; // how long a fault stays told above the page
const NAV = [
  { href: "/", room: "queue", text: () => t("nav_alerts"), needs: "read" },
  { href: "/devices", room: "device", text: () => t("nav_devices"), needs: "read" },
  { href: "/work", room: "work", text: () => t("nav_work"), needs: "read" },
  { href: "/reports", room: "reports", text: () => t("nav_reports"), needs: "read" },
  { href: "/admin", room: "admin", text: () => t("nav_admin"), needs: "read" },
];

// The guide of who has several roles is that of the first here.
const GUIDE_OF = [["admin", "administrator"], ["operator", "operator"], ["technician", "technician"], ["ministry", "supervisor"], ["viewer", "supervisor"]];

let page = {};
let me = { name: "", permissions: [], everywhere: [], roles: [] };
let connected = null;
let lastHeard = null;
let trouble = null; // what keeps the page from being filled
let told = null; // {error, until}: what else went wrong last, and how long it is said
let wordless; // what went wrong with texts last

const room = () => document.documentElement.dataset.room;

// Who reads this page: {kind, name, user, roles, permissions}.
export const reader = () => me;

// Whether the reader may do something somewhere; the server decides in each case.
export const may = (permission) => me.permissions.includes(permission);

// Whether the reader may do in all municipalities what concerns all of them.
export const mayEverywhere = (permission) => me.everywhere.includes(permission);

// Draws the page anew with the next frame.
export const redraw = oncePerFrame(() => {
  if (!i18n.language()) return;
  page.draw?.();
  updateTimes();
});

// Starts a page: `load` fetches what it shows (after kinds, towns and reader are known: its argument `known`
// is their promise), `draw` draws all of it from what is known, `hear` takes events of the live stream by name
// (hello, alert, latest, command, missed), `spoken` is called after the language has changed. `ask` gets an address of the
// API in place of `get`, where a page keeps answers for times without network.
export async function startPage(given) {
  page = given;
  $("sign-out").addEventListener("click", () => signOut().catch(report));
  startEdition();
  follow((name, message) => (hear[name]?.(message), page.hear?.[name]?.(message)), refused);
  begin();
  await speak();
  setInterval(() => {
    updateTimes();
    drawLink();
    drawEdition();
  }, TICK_MS);
}

// A page that is opened during an outage fills itself once the platform is back.
async function begin() {
  try {
    const known = loadBasics();
    await Promise.all([known, page.load?.(known)]);
    state.loaded = true;
    trouble = null;
    startWorker();
    document.documentElement.dataset.loaded = "";
    drawLink();
    redraw();
    leadIn().catch(report);
    import("./push.js").then(({ sayAgain }) => sayAgain()).catch(() => {}); // without a network it is said another time
  } catch (error) {
    trouble = error;
    drawBanner();
    setTimeout(begin, waitOf(error));
  }
}

// How long to leave the platform alone: whoever asked too often is told.
const waitOf = ({ status, retry_s: asked }) => (status === 429 ? Math.max(RETRY_MS, (asked ?? 0) * 1000) : RETRY_MS);

async function loadBasics() {
  const [kinds, towns, session] = await Promise.all(["kinds", "municipalities", "session"].map((one) => (page.ask ?? get)(`/api/v1/${one}`)));
  state.kinds = new Map(kinds.items.map((kind) => [kind.name, kind]));
  state.towns = new Map(towns.items.map((town) => [town.name, town]));
  me = session;
  $("who-name").textContent = me.name;
  $("who").hidden = false;
  $("help").href = `/guide/${GUIDE_OF.find(([role]) => me.roles.some((one) => one.startsWith(role)))?.[1] ?? "operator"}`;
  place();
  drawNav();
}

// What the browser keeps of a person goes with them; what still waits for the network is told before.
async function signOut() {
  const { forgetPerson, waiting } = await import("./kept.js");
  const count = await waiting();
  if (!count) return leave(forgetPerson);
  const { confirmed } = await import("./dialog.js");
  confirmed(t("sign_out"), tn("sign_out_loses", count), t("sign_out"), () => leave(forgetPerson));
}

async function leave(forgetPerson) {
  const { stopTelling } = await import("./push.js");
  await stopTelling().catch(() => {});
  await remove("/api/v1/session");
  sessionStorage.clear();
  await forgetPerson();
  location.assign("/signin");
}

const hear = {
  hello({ now: instant, speed, version }) {
    hearEdition(version);
    setClock(instant, speed);
    connected = true;
    lastHeard = now();
    if (!told?.error.status) told = null;
    drawLink();
    redraw();
  },
  alert: () => (lastHeard = now()),
  latest: () => (lastHeard = now()),
  lost() {
    connected = false;
    drawLink();
  },
};

// Perhaps the sign-in has run out: a request notices, a stream is not told why.
async function refused() {
  try {
    await get("/api/v1/session");
    return RETRY_MS;
  } catch (error) {
    if (error.status === 429) report(error);
    return waitOf(error);
  }
}

function drawNav() {
  if (!i18n.language()) return;
  $("nav").replaceChildren(...NAV.filter(({ needs }) => may(needs)).map(({ href, room: own, text }) =>
    h("a", { href, "aria-current": own === room() && "page" }, text())));
}

function drawLink() {
  if (!i18n.language()) return;
  $("link").className = `link ${connected ? "on" : "off"}`;
  $("link").textContent = t(connected ? "live" : connected === false ? "not_live" : "connecting");
  drawBanner();
  $("fast").hidden = state.speed === 1;
  $("fast").textContent = tn("fast", state.speed);
}

function place() {
  const towns = [...state.towns.values()];
  if (towns.length) i18n.place(towns[0]);
  $("town").textContent = towns.length === 1 ? i18n.said(towns[0].title, towns[0].name) : "";
}

function drawLanguages() {
  $("languages").replaceChildren(...i18n.languages().map(({ code, name }) => h("button", {
    type: "button", lang: code, "aria-pressed": String(code === i18n.language()), onclick: () => speak(code),
  }, name)));
}

async function speak(code) {
  try {
    await i18n.use(room(), code);
  } catch (error) {
    wordless = error;
    report(error);
    setTimeout(() => speak(code), RETRY_MS);
    return;
  }
  if (told?.error === wordless) told = null;
  i18n.translatePage();
  drawLanguages();
  drawNav();
  place();
  drawLink();
  page.spoken?.();
  redraw();
  leadIn().catch(report);
}

// Where nothing is registered yet, the desk begins with the way to the first device.
async function leadIn() {
  if (room() !== "queue" || !state.loaded || !i18n.language() || !may("install-devices")) return;
  const { firstSteps } = await import("./first.js");
  const first = await firstSteps();
  $("first")?.remove();
  if (first) $("content").prepend(first);
}

// Says above the page what went wrong with all of it; what went wrong with one thing is said beside that thing.
export function report(error) {
  told = { error, until: Date.now() + (error.status === 429 ? waitOf(error) : TOLD_MS) };
  drawBanner();
}

// A stream that is there again takes back what the network did, not what the platform refused.
function drawBanner() {
  const error = trouble ?? (told?.until > Date.now() ? told.error : null);
  const lost = connected === false && !error?.status;
  $("lost").hidden = !error && !lost;
  const text = bannerText(error, lost);
  // Who hears the page is not told the same again.
  if ($("lost").textContent !== text) $("lost").textContent = text;
}

function bannerText(error, lost) {
  if (!i18n.language()) return error?.message ?? "";
  if (lost) return lastHeard ? t("lost_since", { ago: i18n.ago(new Date(lastHeard), now()) }) : t("lost");
  if (!error) return "";
  return error.status === 429 ? tn("asked_too_often", Math.ceil(waitOf(error) / 1000)) : t("failed", { reason: error.message });
}
