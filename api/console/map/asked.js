// What the map asks the server for: a part of the ground, the desk's filters, an instant. Pure.

const SHARED = ["severity", "kind", "district", "rule", "words"];

// Parameters of GET /api/v1/map. `view`: {west, south, east, north, zoom}, null for everything.
export function mapQuery(place, view, at) {
  const query = new URLSearchParams();
  if (view) {
    query.set("bbox", ["west", "south", "east", "north"].map((side) => view[side].toFixed(5)).join(","));
    query.set("zoom", view.zoom.toFixed(1));
  }
  for (const name of SHARED) if (place[name]) query.set(name, place[name]);
  const instant = at ?? place.until;
  if (instant) query.set("at", instant);
  return query;
}
