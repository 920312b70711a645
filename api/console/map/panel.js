// What stands around the map: buttons, legend, the slider of the last day, and the same things as a list.

import { $, bdi, h } from "../shell/dom.js";
import { number, said, statusText, t, time, titleOf, tn } from "../shell/i18n.js";
import { STATUSES, now, state } from "../shell/state.js";

const QUARTER_MS = 15 * 60_000;
const QUARTERS = 96;
const LISTED = 60;
const COMMAS = 4; // decimals of degrees, about ten metres

let parts = {};

// `acts`: {zoomIn, zoomOut, everything, show(instant | null), goTo(place)}.
export function buildPanel(acts) {
  const button = (sign, label, act) => h("button", { type: "button", "aria-label": label, title: label, onclick: act }, sign);
  parts.zoom?.remove();
  parts.below?.remove();
  parts.acts = acts;
  parts.zoom = h("div", { class: "zoom" }, button("+", t("zoom_in"), acts.zoomIn), button("−", t("zoom_out"), acts.zoomOut), button("⤢", t("zoom_all"), acts.everything));
  parts.said = h("output", { class: "map-at" }, t("map_now"));
  parts.slider = h("input", { type: "range", min: -QUARTERS, max: 0, step: 1, value: 0, "aria-label": t("map_time"), "aria-valuetext": t("map_now"), oninput: slide });
  parts.rows = h("ul", {});
  parts.list = h("details", { class: "map-list", ontoggle: drawRows }, h("summary", {}, t("map_list")), parts.rows);
  parts.below = h("div", { class: "map-below" }, h("label", { class: "map-time" }, h("span", {}, t("map_time")), parts.slider, parts.said), parts.list);
  $("map").append(parts.zoom);
  $("map").after(parts.below);
}

function slide() {
  const quarters = Number(parts.slider.value);
  const instant = quarters ? new Date((Math.floor(now() / QUARTER_MS) + quarters) * QUARTER_MS) : null;
  parts.said.textContent = instant ? time(instant) : t("map_now");
  parts.slider.setAttribute("aria-valuetext", parts.said.textContent);
  parts.acts.show(instant?.toISOString() ?? null);
}

// The list stands open where it is all there is.
export const openList = () => (parts.list.open = true);

export function drawPanel(found) {
  $("legend").replaceChildren(...STATUSES.filter((is) => found.by_status[is]).map((is) =>
    h("li", { class: `is-${is}` }, statusText(is), " ", h("b", {}, number(found.by_status[is], 0)))));
  parts.found = found;
  drawRows();
}

// Rows that nobody sees are not made.
function drawRows() {
  const { found } = parts;
  if (!found || !parts.list.open) return;
  const focused = parts.rows.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const worst = [...found.devices, ...found.cells].sort((a, b) => STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status));
  parts.rows.replaceChildren(...worst.slice(0, LISTED).map((one) => h("li", { class: `is-${one.status}` }, one.name ? device(one) : cell(one))),
    ...(worst.length > LISTED ? [h("li", { class: "note" }, tn("map_more", worst.length - LISTED))] : []),
    ...(worst.length ? [] : [h("li", { class: "note" }, t("map_nothing"))]));
  if (focused) parts.rows.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

const device = (one) => [
  h("a", { class: "plain-link", "data-key": one.name, href: `/devices/${encodeURIComponent(one.name)}` }, bdi(titleOf(one))),
  h("small", {}, said(state.kinds.get(one.kind)?.title, one.kind), " · ", statusText(one.status)),
];

const cell = (one) => [
  h("button", { type: "button", class: "plain-link", "data-key": `${one.lat} ${one.lon}`, onclick: () => parts.acts.goTo(one) }, tn("map_devices", one.count)),
  h("small", {}, statusText(one.status), " · ", bdi(`${number(one.lat, COMMAS)}, ${number(one.lon, COMMAS)}`)),
];
