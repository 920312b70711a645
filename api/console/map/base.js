// A map to draw on: the library, its worker and its styles, loaded when the first map is wanted.
//
// Everything comes from the platform itself, but for tiles of a server that its settings name. Names are never drawn by the library (it cannot join Arabic
// letters): they are pictures of text that the browser wrote, or elements.

import { h } from "../shell/dom.js";
import { once, styled } from "../shell/fetched.js";
import { t } from "../shell/i18n.js";
import { colour } from "./colours.js";
import { drawTiles } from "./tiles.js";

const LIBRARY = "/console/vendor/maplibre-gl.js";
const WORKER = "/console/vendor/maplibre-gl-worker.js";
const STYLES = ["/console/vendor/maplibre-gl.css", "/console/map/map.css"];
const FURTHEST_ZOOM = 19;

const library = once(async () => {
  const [found] = await Promise.all([import(LIBRARY), ...STYLES.map(styled)]);
  found.setWorkerUrl(new URL(WORKER, location.href).href);
  return found;
});

// Returns {gl, map} in `element`, or null where the browser draws no maps; then a sentence says so.
export async function openMap(element, { center = [0, 0], zoom = 2, label } = {}) {
  const gl = await library();
  try {
    const map = new gl.Map({
      container: element, center, zoom, maxZoom: FURTHEST_ZOOM, style: { version: 8, sources: {}, layers: [ground()] },
      attributionControl: false, cooperativeGestures: true, dragRotate: false, pitchWithRotate: false, touchPitch: false,
      fadeDuration: 0, locale: gestures(), renderWorldCopies: false,
    });
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    if (label) map.getCanvas().setAttribute("aria-label", label);
    map.addControl(new gl.AttributionControl({ compact: true }), "bottom-right");
    await map.once("load");
    await drawTiles(map);
    return { gl, map };
  } catch (error) {
    if (!(error instanceof gl.GPUInitializationError)) throw error;
    element.replaceChildren(h("p", { class: "empty over" }, t("map_impossible")));
    return null;
  }
}

const ground = () => ({ id: "ground", type: "background", paint: { "background-color": colour("sunk") } });

const gestures = () => ({
  "Map.Title": t("map"),
  "CooperativeGesturesHandler.WindowsHelpText": t("map_scroll_ctrl"),
  "CooperativeGesturesHandler.MacHelpText": t("map_scroll_cmd"),
  "CooperativeGesturesHandler.MobileHelpText": t("map_two_fingers"),
  "AttributionControl.ToggleAttribution": t("map_attribution"),
  "AttributionControl.MapFeedback": t("map_attribution"),
});
