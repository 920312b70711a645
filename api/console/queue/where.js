// Where the device of an alert stands: one small map for all alerts that are looked at, opened once it is in sight.

import { h } from "../shell/dom.js";
import { language } from "../shell/i18n.js";

// Whoever only passes by an alert waits for no map.
const LOOKED_MS = 250;

// {element, language, points, map, failed}; map: null until somebody looks; failed: until nobody looks any more.
let shown = null;

// Returns the element of the map, which shows `point` ({lat, lon, title, status, icon}) then.
export function whereMap(point) {
  if (shown?.language !== language()) begin();
  shown.points = [point];
  shown.map?.update(shown);
  return shown.element;
}

function begin() {
  shown?.map?.remove();
  const own = { element: h("div", { class: "place-map" }), language: language(), points: [], map: null, failed: false };
  let waiting = null;
  const sight = new IntersectionObserver(([{ isIntersecting: seen }]) => {
    clearTimeout(waiting);
    own.failed &&= seen;
    if (seen && !own.failed) waiting = setTimeout(() => open(own, sight), LOOKED_MS);
  });
  sight.observe(own.element);
  shown = own;
}

async function open(own, sight) {
  sight.disconnect();
  try {
    const { smallMap } = await import("../map/small.js");
    const map = await smallMap(own.element, own);
    if (own !== shown) return map.remove();
    own.map = map;
    map.update(own);
  } catch {
    own.failed = true;
    sight.observe(own.element); // the address says where it is; the map is tried again when it is next looked at
  }
  return undefined;
}
