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

// Where the name of a line or an area stands: {point: [lon, lat], angle}; the angle of a line, in degrees
// clockwise, so that text along it is never upside down.
export function middleOf({ type, coordinates }) {
  if (type === "Point") return { point: coordinates, angle: 0 };
  if (type === "LineString") return alongLine(coordinates);
  if (type === "MultiLineString") return alongLine(longest(coordinates));
  if (type === "Polygon") return { point: centre(coordinates[0]), angle: 0 };
  if (type === "MultiPolygon") return { point: centre(longest(coordinates.map((one) => one[0]))), angle: 0 };
  return null;
}

const longest = (parts) => parts.reduce((most, part) => (part.length > most.length ? part : most));

function alongLine(points) {
  const i = Math.max(1, Math.ceil((points.length - 1) / 2));
  const [[west, south], [east, north]] = [points[i - 1], points[i]];
  const flatness = Math.cos((south * Math.PI) / 180);
  let angle = (-Math.atan2(north - south, (east - west) * flatness) * 180) / Math.PI;
  if (angle > 90) angle -= 180;
  if (angle < -90) angle += 180;
  return { point: [(west + east) / 2, (south + north) / 2], angle };
}

// Of an area's edge: the middle of its surface, so that corners close together do not pull it.
function centre(ring) {
  let [area, x, y] = [0, 0, 0];
  const [x0, y0] = ring[0];
  for (let i = 1; i < ring.length; i += 1) {
    const [ax, ay, bx, by] = [ring[i - 1][0] - x0, ring[i - 1][1] - y0, ring[i][0] - x0, ring[i][1] - y0];
    const cross = ax * by - bx * ay;
    area += cross;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
  }
  return area ? [x0 + x / (3 * area), y0 + y / (3 * area)] : [x0, y0];
}
