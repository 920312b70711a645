// Work: what the reader has to do, one order with its steps, and the place where devices are installed.

import { numbered, place, startAddress } from "../shell/address.js";
import { $ } from "../shell/dom.js";
import { redraw, report, startPage } from "../shell/frame.js";
import { language } from "../shell/i18n.js";
import { suspectWords } from "../shell/reading_form.js";
import { state } from "../shell/state.js";
import { toast } from "../shell/toast.js";
import { ask } from "./answers.js";
import { hearClock, recallClock } from "./clock.js";
import { drawInstall, installed } from "./install.js";
import { drawList } from "./list.js";
import { drawOrder } from "./order.js";
import { forgetFailed, isLoaded, loadMine, loadOrder, mine, refreshAll } from "./orders.js";
import { READING, sendAll, startOutbox } from "./outbox.js";
import { recallPosition } from "./position.js";
import { drawWaiting } from "./waiting.js";

const REFRESH_MS = 60_000;
const SOON_MS = 1500;
const ADDRESS = {
  read: ([, name]) => ({ order: numbered(name), install: name === "install" || null }),
  write: ({ order, install }) => (order ? `/work/${order}` : install ? "/work/install" : "/work"),
  query: { all: "all", sort: "sort", state: "state", late: "late", team: "team", person: "person", district: "district", words: "q", device: "device" },
};

let drawn = null;
let soon = null;

async function load(known) {
  await Promise.all([recallClock(), recallPosition()]);
  await known;
  await startOutbox({ changed: redraw, sent });
  sendAll();
  await loadMine();
}

// Something of ours has arrived: what the platform says now is shown.
async function sent(entry, answer) {
  if (entry.step === "install") return installed(entry);
  const suspect = entry.step === READING && suspectWords(state.kinds.get(entry.kind), answer);
  if (suspect) toast(suspect, { failed: true });
  refreshAll();
  if (entry.order) await loadOrder(entry.order);
  return refreshSoon();
}

function refreshSoon() {
  clearTimeout(soon);
  soon = setTimeout(() => loadMine().catch(() => {}), SOON_MS);
}

const hear = {
  hello(message) {
    hearClock(message);
    forgetFailed();
    sendAll();
    refreshSoon();
  },
  // What happens to an order is told as its alert changes.
  alert({ alert }) {
    if (!alert.work_order || !isLoaded()) return;
    if (alert.work_order === place().order) loadOrder(alert.work_order);
    if (place().all) refreshAll();
    refreshSoon();
  },
};

function draw() {
  drawWaiting($("waiting"));
  const { order, install } = place();
  const view = order ? drawOrder : install ? drawInstall : drawList;
  const name = `${view.name} ${order} ${language()} ${state.loaded}`;
  if (drawn !== name) $("view").replaceChildren();
  if (drawn !== name && drawn !== null) scrollTo(0, 0);
  drawn = name;
  view($("view"));
}

setInterval(() => {
  if (document.hidden || !isLoaded()) return;
  if (mine().length || !place().order) loadMine().catch(() => {});
  redraw();
}, REFRESH_MS);
document.addEventListener("visibilitychange", () => document.hidden || !isLoaded() || loadMine().catch(report));
startAddress(ADDRESS, redraw);
await startPage({ load, draw, hear, ask });
