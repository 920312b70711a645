// How values go. Pure.

// A change of less than this part of what is seen is none.
const STEADY = 0.05;

// `points`: [[ms, value, low, high, suspect]]. Compares the newest two values with those a few before, in proportion to
// what all of them span: rising, falling, steady; null where there are too few.
export function trend(points) {
  const values = points.filter(([, , , , suspect]) => !suspect).map(([, value]) => value);
  if (values.length < 4) return null;
  const span = Math.max(...values) - Math.min(...values);
  const before = values.slice(-6, -3);
  const change = mean(values.slice(-2)) - mean(before.length ? before : values.slice(0, 2));
  if (Math.abs(change) < STEADY * span || !span) return "steady";
  return change > 0 ? "rising" : "falling";
}

const mean = (values) => values.reduce((sum, one) => sum + one, 0) / values.length;
