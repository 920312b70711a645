// A small map beside something else: a few points, and where the reader is.
//
// smallMap(element, {points: [{lat, lon, title, status, icon, accuracy_m}], me: {lat, lon, accuracy_m} | null})
// returns {update(options), remove()}.

import { h, s } from "../shell/dom.js";
import { number, t } from "../shell/i18n.js";
import { icon } from "../shell/icons.js";
import { openMap } from "./base.js";
import { colour } from "./colours.js";
import { circle } from "./shapes.js";
import { drawStreets } from "./streets.js";

const CLOSE_ZOOM = 16;
const MARGIN_PX = 40;

export async function smallMap(element, options) {
  element.classList.add("map-small");
  element.dir = "ltr";
  const opened = await openMap(element, { label: t("map") });
  if (!opened) return inWords(element, options);
  const { gl, map } = opened;
  drawStreets(map, { under: "accuracy" }).catch(() => {}); // without streets it still says where
  map.addSource("accuracy", { type: "geojson", data: collection([]) });
  map.addLayer({ id: "accuracy", type: "fill", source: "accuracy", paint: { "fill-color": colour("accent"), "fill-opacity": 0.18 } });
  let markers = [];
  const update = ({ points = [], me = null }) => {
    for (const marker of markers) marker.remove();
    const shown = points.map((point) => [point, pin(point)]);
    if (me) shown.push([me, h("span", { class: "map-me", role: "img", "aria-label": t("map_me") })]);
    markers = shown.map(([{ lat, lon }, drawn]) => new gl.Marker({ element: drawn }).setLngLat([lon, lat]).addTo(map));
    const all = [...points, ...(me ? [me] : [])];
    map.getSource("accuracy").setData(collection(all.filter((one) => one.accuracy_m).map((one) => circle(one, one.accuracy_m))));
    if (all.length) map.fitBounds(around(gl, all), { padding: MARGIN_PX, maxZoom: CLOSE_ZOOM, animate: false });
  };
  update(options);
  return { update, remove: () => map.remove() };
}

const collection = (features) => ({ type: "FeatureCollection", features });

const pin = ({ title, status = "plain", icon: name }) =>
  h("span", { class: `mark is-${status}`, role: "img", title, "aria-label": title },
    s("svg", { viewBox: "-11 -11 22 22", "aria-hidden": "true" }, s("circle", { class: "disc", r: 10 }), icon(name)));

function around(gl, points) {
  const bounds = new gl.LngLatBounds();
  for (const { lat, lon } of points) bounds.extend([lon, lat]);
  return bounds;
}

// Where no map can be drawn, the places are written down.
function inWords(element, options) {
  const said = h("ul", { class: "map-words" });
  element.append(said);
  const update = ({ points = [] }) => said.replaceChildren(...points.map(({ lat, lon, title }) =>
    h("li", {}, h("bdi", {}, title ?? ""), " ", h("bdi", {}, `${number(lat, 5)}, ${number(lon, 5)}`))));
  update(options);
  return { update, remove: () => element.replaceChildren() };
}
