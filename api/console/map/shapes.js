// Shapes on the ground as GeoJSON. Pure: no page, no map.

const METRES_A_DEGREE = 111_320;
const CORNERS = 48;

// A circle of so many metres around a place.
export function circle({ lat, lon }, metres) {
  const wide = metres / (METRES_A_DEGREE * Math.cos((lat * Math.PI) / 180));
  const high = metres / METRES_A_DEGREE;
  const ring = Array.from({ length: CORNERS + 1 }, (_, i) => {
    const angle = (2 * Math.PI * (i % CORNERS)) / CORNERS;
    return [lon + wide * Math.cos(angle), lat + high * Math.sin(angle)];
  });
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}
