// The desk: what is wrong, the worst first, and where; one alert explained.

import { go, numbered, place, startAddress } from "../shell/address.js";
import { openDialog } from "../shell/dialog.js";
import { $, fill, h } from "../shell/dom.js";
import { FILTERS } from "../shell/filters.js";
import { may, redraw, report, startPage } from "../shell/frame.js";
import { language, said, t } from "../shell/i18n.js";
import { isMuted, notify, openNotices } from "../shell/notice.js";
import { now, putAlert, state } from "../shell/state.js";
import { drawMap, startMap } from "../map/map.js";
import * as acts from "./acts.js";
import { drawCounters } from "./counters.js";
import { drawFilters, focusSearch, loadTeams } from "./filter_bar.js";
import { moveBy, openKeys, rowOf, startKeys } from "./keys.js";
import { find, isStale, list, put, reload, startList } from "./list.js";
import { drawQueue, startQueue, welcome } from "./queue.js";
import { choose, chooseNone, chosenAlerts, drawBulk } from "./selection.js";

const ADDRESS = {
  read: ([room, name]) => ({ alert: room === "alerts" ? numbered(name) : null }),
  write: ({ alert }) => (alert ? `/alerts/${alert}` : "/"),
  query: { ...FILTERS, order: "order", group: "group", handover: "handover" },
};
// How long an alert has been open at most to be told as new, after the network was away.
const NEW_MS = 600_000;

// What stands beside the queue, fetched when it is first wanted: an alert explained, a hand-over.
const beside = { explained: null, handover: null };

const open = (id) => go({ alert: id, handover: null });
const move = (changes, how) => go(changes, how);

let begun = false;

const hear = {
  hello() {
    // What happened between the first list and this is in neither; later, what happened while nothing was heard.
    reload().catch(report);
    beside.explained?.refresh();
    begun = true;
  },
  alert({ event, alert }) {
    const fresh = !find(alert.id) && alert.state === "firing";
    if (fresh && event.type === "opened") welcome(alert.id);
    putAlert(alert);
    put(alert);
    if (fresh && event.type === "opened" && !alert.inhibited_by) announce(event, alert);
    beside.explained?.hear(alert);
    redraw();
  },
  // The map follows devices that move.
  latest({ items }) {
    for (const latest of items) state.latest.set(latest.device, latest);
    redraw();
  },
  missed() {
    state.changes += 1;
    reload().catch(report);
  },
};

function announce(event, alert) {
  if (!language() || !begun) return;
  const severity = t(`severity_${alert.severity}`);
  const summary = said(alert.summary, alert.rule);
  $("announce").replaceChildren(h("p", {}, t("announce", { severity, summary })));
  if (!alert.silence && now() - Date.parse(event.at) < NEW_MS) notify(alert, summary, () => open(alert.id));
}

function draw() {
  if (isStale()) reload().catch(report);
  drawTools();
  drawFilters(move);
  drawBulk();
  drawQueue();
  drawCounters();
  drawBeside();
}

function drawBeside() {
  const shows = place().handover ? "handover" : place().alert ? "explained" : "map";
  document.body.dataset.beside = shows;
  for (const name of ["explained", "handover"]) $(name).hidden = shows !== name;
  if (shows === "map") mapAfterList();
  else if (beside[shows]) beside[shows].draw();
  else fetchBeside[shows]().then((module) => ((beside[shows] = module), module.draw())).catch(report);
}

// The map's library is larger than all the rest: on a slow line it must not come before the alerts.
function mapAfterList() {
  if (list.loaded || list.failed) drawMap();
}

const fetchBeside = {
  explained: () => import("./explained.js"),
  handover: () => import("./handover.js"),
};

function drawTools() {
  const tool = (name, text, work, more = {}) => h("button", { type: "button", class: "quiet", "data-tool": name, onclick: work, ...more }, text);
  fill($("desk-tools"), `${language()} ${isMuted()}`, () => [
    tool("notices", t(isMuted() ? "notices_off" : "notices_on"), () => openNotices(openDialog, redraw)),
    tool("handover", t("handover"), () => acts.openHandover().catch(report)),
    tool("keys", t("keys"), openKeys),
  ], "data-tool");
}

// What the keys are about: those that were chosen, else the row that has the focus, else the one that is open.
function aimed() {
  const chosen = chosenAlerts();
  if (chosen.length) return chosen;
  const id = Number(rowOf()?.dataset.alert ?? place().alert);
  const alert = find(id) ?? beside.explained?.alertOf(id);
  return alert ? [alert] : [];
}

const about = (permission, work) => () => {
  const alerts = aimed();
  if (alerts.length && may(permission)) acts.run(null, () => work(alerts));
};

// A notice of the browser was clicked.
navigator.serviceWorker?.addEventListener("message", ({ data }) => data?.open && open(numbered(data.open.split("/")[2])));
startAddress(ADDRESS, redraw);
startMap({ openDevice: (device) => location.assign(`/devices/${encodeURIComponent(device)}`) });
startQueue(open);
startKeys({
  next: () => moveBy(1),
  previous: () => moveBy(-1),
  open: () => aimed().slice(-1).forEach(({ id }) => open(id)),
  acknowledge: about("answer-alerts", acts.acknowledge),
  silence: about("silence-alerts", acts.openSilence),
  work: about("direct-work", acts.openWork),
  comment() {
    const [alert] = aimed();
    if (!alert) return;
    open(alert.id);
    fetchBeside.explained().then(({ comment }) => comment()).catch(report);
  },
  choose: () => aimed() && rowOf() && choose(Number(rowOf().dataset.alert)),
  search: focusSearch,
  undo: acts.undoLast,
  help: openKeys,
  back: () => chooseNone() || (place().alert || place().handover ? open(null) : null),
});
await startPage({
  load: (known) => Promise.all([startList(known), known.then(loadTeams)]),
  draw,
  hear,
  spoken: () => beside.explained?.draw({ anew: true }),
});
