// The desk's map: asks for what is in sight, never for all; follows the filters of the address and live news.

import { place } from "../shell/address.js";
import { $, h } from "../shell/dom.js";
import { report } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { language, t, tn } from "../shell/i18n.js";
import { state } from "../shell/state.js";
import { drawAreas } from "./areas.js";
import { mapQuery } from "./asked.js";
import { openMap } from "./base.js";
import { drawMarks, forgetMarks, worstInSight } from "./marks.js";
import { buildPanel, drawPanel, openList } from "./panel.js";
import { boundsOf, drawStreets, features } from "./streets.js";

const MARGIN_PX = 40;
const CLOSE_ZOOM = 16;
const DETAIL_ZOOM = 14.5;
const NEWS_MS = 1000; // between two questions because of news
const RETRY_MS = 5000;
const OLD_MS = 30_000; // what only readings change may be so old

let openDevice = () => {};
let drawn = null; // {gl, map} once there is a map
let words = null; // the language it was built in
let opening = null;
let known = null; // the newest answer
let question = 0;
let asked = null; // filters and alerts that `known` is of
let at = null;
let touched = false;
let waiting = null;
const canvas = () => $("map").querySelector(".map-canvas");

export function startMap(handlers) {
  ({ openDevice } = handlers);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", openAnew);
}

// Called whenever something may have changed; cheap when nothing has.
export function drawMap() {
  if (!language() || !state.kinds.size) return;
  if (words !== language()) {
    if ($("map").clientWidth) openAnew();
    return;
  }
  if (asked?.filters !== filters()) ask({ anew: true }).catch(report);
  else if (asked.changes !== state.changes || Date.now() - asked.when > OLD_MS) waiting ??= setTimeout(() => ((waiting = null), ask().catch(report)), NEWS_MS);
  if (drawn && known) marks();
}

const filters = () => mapQuery(place(), null, at).toString();

// What could not be opened is tried again after a while.
function openAnew() {
  const opened = reopen();
  const mine = opening;
  opened.catch((error) => {
    report(error);
    setTimeout(() => {
      if (mine !== opening || drawn) return;
      words = null;
      drawMap();
    }, RETRY_MS);
  });
}

// Builds the map anew where it was: language and colours are part of it.
async function reopen() {
  words = language();
  const before = drawn && { center: drawn.map.getCenter(), zoom: drawn.map.getZoom() };
  const mine = (opening = {});
  drawn?.map.remove();
  drawn = null;
  forgetMarks();
  $("map").replaceChildren(h("div", { class: "map-canvas" }));
  buildPanel({ zoomIn: () => zoom(1), zoomOut: () => zoom(-1), everything, show, goTo });
  await ask({ anew: true });
  const opened = await openMap(canvas(), { ...(before ?? {}), label: tn("map_label", known?.count ?? 0) });
  if (mine !== opening) return opened?.map.remove();
  drawn = opened;
  if (!opened) return openList();
  const { map } = opened;
  if (!before) await fit();
  map.on("moveend", (event) => {
    if (event.originalEvent) touched = true;
    ask().catch(report);
    drawAreas(map, view()).catch(report);
  });
  map.on("zoom", far);
  far();
  drawStreets(map).then(() => drawn === opened && drawAreas(map, view())).catch(report);
  await ask();
  return undefined;
}

// From far away, what is well is a dot.
const far = () => canvas().classList.toggle("far", drawn.map.getZoom() < DETAIL_ZOOM);

// Asks for what is in sight; `anew`: other devices are meant, so that the view may have to follow.
async function ask({ anew = false } = {}) {
  const mine = ++question;
  asked = { filters: filters(), changes: state.changes, when: Date.now() };
  const found = await get(`/api/v1/map?${mapQuery(place(), anew || !drawn ? null : view(), at)}`);
  if (mine !== question) return;
  known = { ...found, bounds: found.bounds ?? known?.bounds };
  if (anew && drawn && !touched) await fit();
  $("map").classList.toggle("past", Boolean(at ?? place().until));
  emptiness();
  drawPanel(known);
  if (drawn) marks();
}

function view() {
  const bounds = drawn.map.getBounds();
  return { west: bounds.getWest(), south: bounds.getSouth(), east: bounds.getEast(), north: bounds.getNorth(), zoom: drawn.map.getZoom() };
}

const marks = () => drawMarks(drawn, known, { live: !at, openDevice });

function emptiness() {
  $("map").querySelector(".over.nothing")?.remove();
  if (known.count || known.bounds || asked.filters) return;
  $("map").append(h("p", { class: "empty over nothing" }, t("map_empty")));
}

// Where most devices stand, else the districts, else the towns.
async function fit() {
  const { map } = drawn;
  const bounds = known?.bounds;
  const box = bounds ? [bounds.west, bounds.south, bounds.east, bounds.north] : boundsOf(await features("districts"));
  const town = [...state.towns.values()].find(({ lat }) => lat !== null && lat !== undefined);
  if (box) map.fitBounds(box, { padding: MARGIN_PX, maxZoom: CLOSE_ZOOM, animate: false });
  else if (town) map.jumpTo({ center: [town.lon, town.lat], zoom: 13 });
}

// What is wrong stays where it is on the screen, so that zooming never loses it.
function zoom(step) {
  touched = true;
  drawn?.map.easeTo({ zoom: drawn.map.getZoom() + step, around: worstInSight(drawn.map) ?? drawn.map.getCenter() });
}

function everything() {
  touched = false;
  ask({ anew: true }).catch(report);
}

function show(instant) {
  at = instant;
  ask().catch(report);
}

function goTo({ lat, lon }) {
  touched = true;
  drawn?.map.easeTo({ center: [lon, lat], zoom: drawn.map.getZoom() + 2 });
}
