// The picture of the town under the devices: districts and streets of the municipalities.
//
// Names are pictures of text that the browser wrote: it joins Arabic letters and knows the fonts of the machine.

import { get } from "../shell/http.js";
import { language } from "../shell/i18n.js";
import { state } from "../shell/state.js";
import { colour } from "./colours.js";
import { middleOf } from "./shapes.js";
import { tilesUnder } from "./tiles.js";

const LAYERS = ["districts", "streets"];
const NAME_PX = { districts: 14, streets: 12 };
const STREETS_ZOOM = 14.5;
const SHARPNESS = 2;

const collections = new Map();

// Reads the layers of a municipality once.
function layerOf(town, layer) {
  const key = `${town}/${layer}`;
  if (!collections.has(key)) {
    const found = get(`/api/v1/municipalities/${encodeURIComponent(town)}/layers/${layer}`);
    collections.set(key, found.catch(() => (collections.delete(key), { features: [] })));
  }
  return collections.get(key);
}

// All features of a layer, of every municipality that the reader knows.
export async function features(layer) {
  const found = await Promise.all([...state.towns.keys()].map((town) => layerOf(town, layer)));
  return found.flatMap((one) => one.features);
}

// Draws districts and streets, and their names in the reader's language; below the layer `under`.
export async function drawStreets(map, { under } = {}) {
  const found = Object.fromEntries(await Promise.all(LAYERS.map(async (layer) => [layer, await features(layer)])));
  if (!map.style) return; // it has gone meanwhile
  for (const layer of LAYERS) {
    put(map, layer, found[layer]);
    put(map, `${layer}-names`, found[layer].map((one) => named(map, layer, one)).filter(Boolean));
  }
  if (!map.getLayer("districts")) layersOf(tilesUnder(map)).forEach((layer) => map.addLayer(layer, under));
}

function put(map, source, found) {
  const data = { type: "FeatureCollection", features: found };
  if (map.getSource(source)) map.getSource(source).setData(data);
  else map.addSource(source, { type: "geojson", data });
}

// Tiles show the land themselves, and images the streets and their names too.
const layersOf = (tiles) => [
  { id: "districts", type: "fill", source: "districts", paint: { "fill-color": colour("ground"), "fill-opacity": tiles ? 0 : 0.75 } },
  { id: "districts-edge", type: "line", source: "districts", paint: { "line-color": colour("soft"), "line-opacity": 0.45, "line-width": 1, "line-dasharray": [4, 3] } },
  ...(tiles === "raster" ? [] : streetsOf()),
];

const streetsOf = () => [
  { id: "streets-edge", type: "line", source: "streets", layout: ROUND, paint: { "line-color": colour("grid"), "line-width": wide(1.5) } },
  { id: "streets", type: "line", source: "streets", layout: ROUND, paint: { "line-color": colour("card"), "line-width": wide(1) } },
  { id: "streets-names", type: "symbol", source: "streets-names", minzoom: STREETS_ZOOM, layout: { ...NAMES, "icon-rotate": ["get", "angle"] } },
  { id: "districts-names", type: "symbol", source: "districts-names", minzoom: 11, layout: { ...NAMES, "symbol-sort-key": 0 } },
];

const ROUND = { "line-cap": "round", "line-join": "round" };
const NAMES = { "icon-image": ["get", "picture"], "icon-rotation-alignment": "map", "icon-padding": 4 };
const wide = (times) => ["interpolate", ["exponential", 1.6], ["zoom"], 10, 1 * times, 14, 2.5 * times, 18, 14 * times];

// The point where a name stands, with its picture and the angle of its street.
function named(map, layer, feature) {
  const name = feature.properties[`name:${language()}`] ?? feature.properties["name:en"] ?? feature.properties.code;
  const at = middleOf(feature.geometry);
  if (!name || !at) return null;
  const picture = `${layer} ${name}`;
  if (!map.hasImage(picture)) map.addImage(picture, written(name, NAME_PX[layer], layer === "districts"), { pixelRatio: SHARPNESS });
  return { type: "Feature", properties: { picture, angle: at.angle }, geometry: { type: "Point", coordinates: at.point } };
}

// Text as a picture, with an edge in the colour of the ground.
function written(text, size, strong) {
  const canvas = document.createElement("canvas");
  let pen = canvas.getContext("2d");
  const font = `${strong ? 650 : 500} ${size * SHARPNESS}px ${getComputedStyle(document.body).fontFamily}`;
  pen.font = font;
  canvas.width = Math.ceil(pen.measureText(text).width) + 8 * SHARPNESS;
  canvas.height = Math.ceil(size * 1.8 * SHARPNESS);
  pen = canvas.getContext("2d");
  Object.assign(pen, { font, textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 3 * SHARPNESS });
  pen.direction = document.documentElement.dir;
  pen.strokeStyle = colour("card");
  pen.fillStyle = colour(strong ? "soft" : "ink");
  pen.strokeText(text, canvas.width / 2, canvas.height / 2);
  pen.fillText(text, canvas.width / 2, canvas.height / 2);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

// [west, south, east, north] of features; null without any.
export function boundsOf(found) {
  const points = found.flatMap((one) => flat(one.geometry.coordinates));
  if (!points.length) return null;
  const of = (i, choose) => points.reduce((most, point) => choose(most, point[i]), points[0][i]);
  return [of(0, Math.min), of(1, Math.min), of(0, Math.max), of(1, Math.max)];
}

const flat = (coordinates) => (typeof coordinates[0] === "number" ? [coordinates] : coordinates.flatMap(flat));
