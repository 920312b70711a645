// What a chart draws, as numbers: where lines break, what stands at which instant, how far axes reach. No drawing here.
//
// A point is [ms, value, low, high, suspect]; the last three may be left out.

// Between two points no line is drawn where a counter was reset, or where the shorter way leads around.
export function breaks(measurement, before, point) {
  if (measurement.counter) return point.value < before.value;
  return Boolean(measurement.circular) && Math.abs(point.value - before.value) > (measurement.high - measurement.low) / 2;
}

// Points that belong together; suspect ones belong nowhere.
export function runs({ points, gap_ms: gap = Infinity, measurement = {} }) {
  const found = [];
  for (const point of points) {
    if (point[4]) continue;
    const last = found.at(-1)?.at(-1);
    const joined = last && point[0] - last[0] <= gap && !breaks(measurement, { value: last[1] }, { value: point[1] });
    if (joined) found.at(-1).push(point);
    else found.push([point]);
  }
  return found;
}

// One row of instants for all series, and of each its means, least and most. Undefined: the series says nothing
// then; null: its line ends.
export function aligned(series) {
  const columns = series.map((one) => {
    const column = new Map();
    let last = null;
    for (const run of runs(one)) {
      // The instant between two runs ends the line, and is nobody's reading.
      if (last !== null) column.set((run[0][0] + last) / 2, null);
      for (const point of run) column.set(point[0], point);
      last = run.at(-1)[0];
    }
    return column;
  });
  const instants = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => a - b);
  const row = (column, part) => instants.map((at) => (column.get(at) ? part(column.get(at)) : column.get(at)));
  return {
    instants,
    rows: columns.map((column) => ({
      value: row(column, (point) => point[1]),
      low: row(column, (point) => point[2] ?? point[1]),
      high: row(column, (point) => point[3] ?? point[1]),
    })),
  };
}

const LEAST_SHARE = 0.2;

// How far an axis reaches: all that is believed, and limits that leave what was measured a fifth of the height.
export function extent(series, limits) {
  const values = series.flatMap(({ points, measurement }) => (measurement?.circular && points.length
    ? [measurement.low, measurement.high] // a circle is drawn whole: where a turn ends the next one begins
    : points.filter((point) => !point[4]).flatMap(([, value, low, high]) => [low ?? value, high ?? value])));
  if (!values.length) return null;
  let [low, high] = ends(values);
  const positive = low >= 0;
  const flat = high - low < Math.abs(high) * 0.02 + 1e-6;
  // What stands still is drawn in the middle, not as a wall of noise.
  if (flat) [low, high] = [low - Math.abs(low) * 0.05 - 0.5, high + Math.abs(high) * 0.05 + 0.5];
  for (const { value } of limits) {
    const [least, most] = [Math.min(low, value), Math.max(high, value)];
    if ((high - low) / (most - least) >= LEAST_SHARE) [low, high] = [least, most];
  }
  const margin = (high - low) * 0.06;
  // What is never negative gets no axis below nought.
  return [positive ? Math.max(low - margin, 0) : low - margin, high + margin];
}

function ends(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

// The point of a series that lies nearest to an instant; null where it has none within reach.
export function nearest(points, at, reach = Infinity) {
  let [from, until] = [0, points.length - 1];
  if (until < 0) return null;
  while (from < until) {
    const middle = (from + until) >> 1;
    if (points[middle][0] < at) from = middle + 1;
    else until = middle;
  }
  const before = points[from - 1];
  const found = before && at - before[0] < points[from][0] - at ? before : points[from];
  return Math.abs(found[0] - at) <= reach ? found : null;
}
