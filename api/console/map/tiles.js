// What lies under everything: tiles of a file or a server, where the settings name any.
//
// Vector tiles are drawn in the page's own colours, in the layers of Protomaps and of OpenMapTiles; what they write
// is left out, as names come from the municipality's layers. Images are shown as they are.

import { get } from "../shell/http.js";
import { colour } from "./colours.js";

const ADDRESS = "/api/v1/map/tiles";
const TILE_PX = 256;

let known = null;

// What the platform says of its tiles, once for the page.
const tilesOf = () => (known ??= get(ADDRESS).catch(() => ((known = null), { url: null })));

// Puts tiles under an empty map. Without any, or without an answer, the map goes on as it is.
export async function drawTiles(map) {
  const { url, format, first_zoom: minzoom, last_zoom: maxzoom, bounds, attribution } = await tilesOf();
  if (!url || !map.style) return;
  const source = { type: format, tiles: [new URL(url, location.href).href.replaceAll("%7B", "{").replaceAll("%7D", "}")], minzoom, maxzoom };
  if (bounds) source.bounds = bounds;
  if (attribution) source.attribution = plain(attribution);
  map.addSource("tiles", format === "raster" ? { ...source, tileSize: TILE_PX } : source);
  for (const layer of format === "raster" ? images() : shapes()) map.addLayer(layer);
}

// What already shows streets and land: "vector", "raster", or null.
export const tilesUnder = (map) => map.getSource("tiles")?.type ?? null;

// The library takes an attribution for HTML; ours is text.
const plain = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.codePointAt(0)};`);

const dark = () => matchMedia("(prefers-color-scheme: dark)").matches;

const images = () => [{
  id: "tiles", type: "raster", source: "tiles",
  paint: dark() ? { "raster-brightness-max": 0.55, "raster-saturation": -0.5 } : { "raster-saturation": -0.25 },
}];

const GREEN = ["park", "garden", "grass", "meadow", "wood", "forest", "nature_reserve", "golf_course", "cemetery", "recreation_ground", "scrub", "zoo", "pitch", "playground"];
const FIELD = ["farmland", "farm", "orchard", "vineyard", "allotments", "crop", "barren"];
const SAND = ["beach", "sand"];
const BROAD = ["highway", "major_road", "medium_road", "motorway", "trunk", "primary", "secondary", "tertiary"];

const kind = ["coalesce", ["get", "kind"], ["get", "class"]];
const of = (kinds) => ["in", kind, ["literal", kinds]];
const area = (id, layer, name, filter) => ({ id, type: "fill", source: "tiles", "source-layer": layer, paint: { "fill-color": colour(name) }, ...(filter && { filter }) });
const road = (id, layer, filter, width, minzoom) => ({
  id, type: "line", source: "tiles", "source-layer": layer, filter, minzoom, layout: { "line-cap": "round", "line-join": "round" },
  paint: { "line-color": colour("map-road"), "line-width": ["interpolate", ["exponential", 1.6], ["zoom"], 10, width / 12, 14, width / 3, 18, width * 2] },
});

// Land first, then what lies on it, then ways.
function shapes() {
  const greens = ["landcover", "landuse", "park"].flatMap((layer) => [
    area(`tiles-${layer}-field`, layer, "map-field", of(FIELD)), area(`tiles-${layer}-sand`, layer, "map-sand", of(SAND)),
    area(`tiles-${layer}-green`, layer, "map-green", layer === "park" ? null : of(GREEN)),
  ]);
  return [
    area("tiles-earth", "earth", "map-land"), ...greens,
    area("tiles-water", "water", "map-water", ["==", ["geometry-type"], "Polygon"]),
    { ...area("tiles-buildings", "buildings", "map-house"), minzoom: 13 }, { ...area("tiles-building", "building", "map-house"), minzoom: 13 },
    ...["roads", "transportation"].flatMap((layer) => [
      road(`tiles-${layer}-narrow`, layer, ["all", ["!", of(BROAD)], ["!", of(["path", "rail", "ferry", "pier"])]], 3, 12),
      road(`tiles-${layer}-broad`, layer, of(BROAD), 6, 6),
    ]),
  ];
}
