// Which span of time charts show: a preset that ends now, or two instants. No drawing here.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
export const WEEK_MS = 7 * DAY_MS;
export const PRESETS = [6, 24, 168, 720, 8760];
const USUAL = 24;
// The longest that is asked for, and the shortest that a drag can mean.
const LONGEST_MS = 3660 * DAY_MS;
const SHORTEST_MS = 60_000;

// What the address says: `hours` of a preset, or `from` and `until` as instants. Nonsense is the usual span.
export function spanOf({ hours, from, until }, now) {
  const [start, end] = [Date.parse(from ?? ""), Date.parse(until ?? "")];
  if (end > start) return { start: Math.max(start, end - LONGEST_MS), end, hours: null };
  const preset = PRESETS.includes(Number(hours)) ? Number(hours) : USUAL;
  return { start: now - preset * HOUR_MS, end: now, hours: preset };
}

// How the address says two instants, to the second; too short a span is widened around its middle.
export function addressed(start, end) {
  const lack = Math.max(0, SHORTEST_MS - (end - start)) / 2;
  return { hours: null, from: iso(start - lack), until: iso(end + lack) };
}

// The span of the same length before or after.
export const moved = ({ start, end }, by) => addressed(start + by * (end - start), end + by * (end - start));

const iso = (ms) => new Date(Math.round(ms / 1000) * 1000).toISOString().replace(".000Z", "Z");

// Measurements that are drawn together: as the kind's panels say; where it has none, those of one unit.
export function groups({ panels, measurements }) {
  const drawn = measurements.filter(({ type, name }) => type !== "text" && !["lat", "lon"].includes(name));
  if (panels.length) {
    return panels.map((panel) => panel.measurements.map((name) => measurements.find((one) => one.name === name)).filter(Boolean));
  }
  const found = new Map();
  for (const one of drawn) {
    const key = one.counter || one.circular ? one.name : `${one.type} ${one.unit}`;
    // Four lines can be told apart.
    const group = (found.get(key) ?? []).find((row) => row.length < 4);
    if (group) group.push(one);
    else found.set(key, [...(found.get(key) ?? []), [one]]);
  }
  return [...found.values()].flat();
}
