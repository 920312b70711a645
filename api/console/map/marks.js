// What stands on the map: a mark for each device, a circle with a number for many. Elements, so that they have
// the page's colours and letters.

import { h, s } from "../shell/dom.js";
import { number, said, statusText, titleOf, tn } from "../shell/i18n.js";
import { icon } from "../shell/icons.js";
import { STATUSES, position, state } from "../shell/state.js";

const STEP_IN = 2;
const AT_ONCE = 40; // marks that are made in one frame: whoever clicks meanwhile does not wait for all of them

const shown = new Map();
let turn = 0;

// Brings the marks of `found` (an answer of GET /api/v1/map) onto the map; those that stay are kept.
export function drawMarks({ gl, map }, found, { live, openDevice }) {
  const wanted = new Map([
    ...found.devices.map((one) => [`${one.name} ${one.status}`, { one, make: () => mark(one, openDevice) }]),
    ...found.cells.map((one) => [`${one.lat} ${one.lon} ${one.count} ${one.status}`, { one, make: () => cluster(one, map) }]),
  ]);
  for (const [key, { marker }] of shown) {
    if (wanted.has(key)) continue;
    marker.remove();
    shown.delete(key);
  }
  const place = (one) => (live && one.name && measured(one.name)) || one;
  for (const [key, { one }] of wanted) if (shown.has(key)) move(shown.get(key).marker, place(one));
  const missing = [...wanted].filter(([key]) => !shown.has(key));
  const own = ++turn;
  const add = () => {
    if (own !== turn) return;
    for (const [key, { one, make }] of missing.splice(0, AT_ONCE)) {
      const at = place(one);
      shown.set(key, { one, marker: new gl.Marker({ element: make() }).setLngLat([at.lon, at.lat]).addTo(map) });
    }
    if (missing.length) requestAnimationFrame(add);
  };
  add();
}

function move(marker, { lat, lon }) {
  const there = marker.getLngLat();
  if (there.lat !== lat || there.lng !== lon) marker.setLngLat([lon, lat]);
}

// The map has gone, and its marks with it.
export function forgetMarks() {
  turn += 1;
  shown.clear();
}

// The worst of what is in sight, when something is wrong with it: {lng, lat}.
export function worstInSight(map) {
  const bounds = map.getBounds();
  const wrong = [...shown.values()].filter(({ one, marker }) => rank(one) < STATUSES.indexOf("ok") && bounds.contains(marker.getLngLat()));
  return wrong.sort((a, b) => rank(a.one) - rank(b.one))[0]?.marker.getLngLat();
}

const rank = (one) => STATUSES.indexOf(one.status);

// Where a device that moves says that it is, newer than the answer of the server.
function measured(name) {
  const latest = state.latest.get(name);
  return latest?.measurements.lat === undefined ? null : position({ name, lat: null, lon: null });
}

function mark(one, openDevice) {
  const kind = state.kinds.get(one.kind);
  const words = `${titleOf(one)} · ${said(kind?.title, one.kind)} · ${statusText(one.status)}`;
  const made = h("a", {
    class: `mark is-${one.status}`, href: `/devices/${encodeURIComponent(one.name)}`, title: words, "aria-label": words, tabindex: "-1", "data-device": one.name,
    onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      openDevice(one.name);
    },
  }, s("svg", { viewBox: "-11 -11 22 22", "aria-hidden": "true" },
    ["critical", "major"].includes(one.status) && s("circle", { class: "halo", r: 15 }),
    s("circle", { class: "disc", r: 10 }), icon(kind?.icon)));
  made.style.zIndex = String(STATUSES.length - rank(one));
  return made;
}

function cluster(one, map) {
  const words = `${tn("map_devices", one.count)} · ${statusText(one.status)}`;
  const size = 26 + 7 * Math.log10(one.count);
  const made = h("button", {
    type: "button", class: `cluster is-${one.status}`, title: words, "aria-label": words, tabindex: "-1", "data-count": one.count,
    onclick: () => map.easeTo({ center: [one.lon, one.lat], zoom: map.getZoom() + STEP_IN }),
  }, h("b", {}, number(one.count, 0)));
  Object.assign(made.style, { inlineSize: `${size}px`, blockSize: `${size}px`, background: ring(one), zIndex: String(STATUSES.length - rank(one)) });
  return made;
}

// A ring with a part for each state; one that is wrong is seen among a thousand that are well.
function ring({ by_status: counts, count }) {
  const least = count * 0.08;
  const parts = STATUSES.filter((status) => counts[status]).map((status) => [status, Math.max(counts[status], least)]);
  const whole = parts.reduce((sum, [, part]) => sum + part, 0);
  let from = 0;
  const stops = parts.map(([status, part]) => {
    const until = from + (100 * part) / whole;
    const stop = `var(--${status}) ${from.toFixed(1)}% ${until.toFixed(1)}%`;
    from = until;
    return stop;
  });
  return `conic-gradient(${stops.join(", ")})`;
}
