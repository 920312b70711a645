// What devices say of the ground: zones among their attributes, and lines through what hangs on one circuit.

import { get } from "../shell/http.js";
import { colour } from "./colours.js";

const FROM_ZOOM = 13.5;
const NOTHING = { type: "FeatureCollection", features: [] };

let turn = 0;

// Brings zones and circuits of the part in sight onto the map, under names and marks: once the town is there.
export async function drawAreas(map, view) {
  if (!map.getLayer("districts")) return;
  const mine = ++turn;
  const found = view.zoom < FROM_ZOOM ? NOTHING : await get(`/api/v1/map/areas?bbox=${["west", "south", "east", "north"].map((side) => view[side].toFixed(5))}`);
  if (mine !== turn || !map.style) return; // the view has moved on, or the map has gone
  if (map.getSource("areas")) map.getSource("areas").setData(found);
  else {
    map.addSource("areas", { type: "geojson", data: found });
    const above = map.getLayer("streets-names") ? "streets-names" : undefined;
    for (const layer of layersOf()) map.addLayer(layer, above);
  }
}

const ZONE = ["==", ["geometry-type"], "Polygon"];
const CIRCUIT = ["==", ["geometry-type"], "LineString"];

const ROUND = { "line-cap": "round", "line-join": "round" };

const layersOf = () => [
  { id: "zones", type: "fill", source: "areas", filter: ZONE, paint: { "fill-color": colour("accent"), "fill-opacity": 0.08 } },
  { id: "zones-edge", type: "line", source: "areas", filter: ZONE, paint: { "line-color": colour("accent"), "line-opacity": 0.8, "line-width": 1.5, "line-dasharray": [3, 2] } },
  { id: "circuits", type: "line", source: "areas", filter: CIRCUIT, layout: ROUND, paint: { "line-color": colour("accent"), "line-opacity": 0.14, "line-width": 36 } },
  { id: "circuits-line", type: "line", source: "areas", filter: CIRCUIT, layout: ROUND, paint: { "line-color": colour("accent"), "line-opacity": 0.7, "line-width": 2.5 } },
];
