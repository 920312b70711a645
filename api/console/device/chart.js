// One line chart: a line per measurement, a band from least to most where readings are summed up, suspect values hollow.
//
// Charts run from left to right in every language.

import { h, s } from "../shell/dom.js";
import { day, full, number, said, t, time, value } from "../shell/i18n.js";

const HEIGHT = 132;
const LEFT = 44;
const RIGHT = 10;
const TOP = 10;
const BOTTOM = 20;
const DAY_MS = 86_400_000;

// series: [{measurement, points: [{at, value, low, high, suspect}]}], times in milliseconds.
export function chart({ title, series, start, end, width, gap }) {
  const figure = h("figure", { class: "chart" }, h("figcaption", {}, said(title), legend(series)));
  const values = series.flatMap(({ measurement, points }) => points.filter((p) => !p.suspect).flatMap((p) => ends(measurement, p)));
  if (!values.length) {
    figure.append(h("p", { class: "empty" }, t("no_history")));
    return figure;
  }
  const scale = scales(values, start, end, width);
  const svg = s("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": describe(title, series, values) },
    axes(scale, start, end, width), ...series.flatMap((one, i) => lines(one, i, scale, gap)));
  const frame = h("div", { class: "frame", dir: "ltr" }, svg);
  readout(frame, svg, series, scale, { start, end, width });
  figure.append(frame);
  return figure;
}

// A circle is drawn whole: where a turn ends the next one begins.
const ends = (measurement, point) => (measurement.circular ? [measurement.low, measurement.high] : [point.low, point.high]);

// Between two points no line is drawn where a counter was reset, or where the shorter way leads around.
export function breaks(measurement, before, point) {
  if (measurement.counter) return point.value < before.value;
  return Boolean(measurement.circular) && Math.abs(point.value - before.value) > (measurement.high - measurement.low) / 2;
}

function describe(title, series, values) {
  const { measurement, points } = series[0];
  const show = (raw) => value(measurement, raw);
  return t("chart_label", {
    title: said(title), low: show(Math.min(...values)), high: show(Math.max(...values)), last: show(points.at(-1)?.value),
  });
}

const legend = (series) =>
  series.length > 1 && h("span", { class: "keys" }, series.map(({ measurement }, i) => h("i", { class: `key line-${i % 4}` }, said(measurement.label, measurement.name))));

function scales(values, start, end, width) {
  let low = Math.min(...values);
  let high = Math.max(...values);
  const positive = low >= 0;
  if (high - low < Math.abs(high) * 0.02 + 1e-6) [low, high] = [low - Math.abs(low) * 0.05 - 0.5, high + Math.abs(high) * 0.05 + 0.5];
  // What is never negative gets no axis below nought.
  if (positive) low = Math.max(low, 0);
  const step = nice((high - low) / 3);
  low = Math.floor(low / step) * step;
  high = Math.ceil(high / step) * step;
  return {
    low, high, step,
    x: (at) => LEFT + ((at - start) / (end - start)) * (width - LEFT - RIGHT),
    y: (v) => TOP + ((high - v) / (high - low)) * (HEIGHT - TOP - BOTTOM),
  };
}

function nice(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 2.5, 5, 10].map((digit) => digit * power).find((step) => step >= least);
}

function axes(scale, start, end, width) {
  const parts = [];
  for (let v = scale.low; v <= scale.high + scale.step / 1e6; v += scale.step) {
    const y = scale.y(v).toFixed(1);
    parts.push(s("path", { d: `M${LEFT} ${y}H${width - RIGHT}` }), s("text", { x: LEFT - 6, y, class: "tick y" }, number(v, 2)));
  }
  const count = Math.max(2, Math.floor(width / 110));
  for (let i = 0; i <= count; i += 1) {
    const at = start + ((end - start) * i) / count;
    const text = end - start > 2 * DAY_MS ? day(new Date(at)) : time(new Date(at));
    parts.push(s("text", { x: scale.x(at).toFixed(1), y: HEIGHT - 4, class: `tick x${i === 0 ? " first" : ""}${i === count ? " last" : ""}` }, text));
  }
  return s("g", { class: "axes" }, parts);
}

function lines({ measurement, points }, i, scale, gap) {
  const good = points.filter((point) => !point.suspect);
  const runs = [];
  for (const point of good) {
    const run = runs.at(-1);
    if (run && point.at - run.at(-1).at <= gap && !breaks(measurement, run.at(-1), point)) run.push(point);
    else runs.push([point]);
  }
  const at = (point, v) => `${scale.x(point.at).toFixed(1)} ${scale.y(v).toFixed(1)}`;
  const line = runs.map((run) => `M${run.map((p) => at(p, p.value)).join("L")}${run.length === 1 ? "h.1" : ""}`).join("");
  const clamp = (v) => Math.min(Math.max(v, scale.low), scale.high);
  const band = runs.filter((run) => run.some((p) => p.high > p.low))
    .map((run) => `M${run.map((p) => at(p, clamp(p.high))).join("L")}L${[...run].reverse().map((p) => at(p, clamp(p.low))).join("L")}Z`).join("");
  return [
    band && s("path", { class: `band line-${i % 4}`, d: band }),
    s("path", { class: `line line-${i % 4}`, d: line }),
    ...points.filter((point) => point.suspect).map((p) => s("circle", { class: "doubt", cx: scale.x(p.at).toFixed(1), cy: scale.y(clamp(p.value)).toFixed(1), r: 3 })),
  ];
}

const range = ({ measurement, point: { low, high } }) => (high > low ? ` (${value(measurement, low)} – ${value(measurement, high)})` : "");

function readout(frame, svg, series, scale, { start, end, width }) {
  const cursor = s("path", { class: "cursor" });
  const text = h("output", { class: "readout", hidden: true });
  svg.append(cursor);
  frame.append(text);
  const near = (points, at) => points.reduce((best, p) => (!best || Math.abs(p.at - at) < Math.abs(best.at - at) ? p : best), null);
  svg.addEventListener("pointermove", (event) => {
    const at = start + ((event.offsetX - LEFT) / (width - LEFT - RIGHT)) * (end - start);
    const found = series.map((one) => ({ ...one, point: near(one.points, at) })).filter((one) => one.point);
    if (!found.length) return;
    const x = scale.x(found[0].point.at);
    cursor.setAttribute("d", `M${x.toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}`);
    text.hidden = false;
    text.replaceChildren(full(new Date(found[0].point.at)), ...found.map((one) =>
      h("b", {}, value(one.measurement, one.point.value), range(one), one.point.suspect ? ` (${t("suspect")})` : "")));
    text.classList.toggle("flip", x > width / 2);
  });
  svg.addEventListener("pointerleave", () => {
    text.hidden = true;
    cursor.removeAttribute("d");
  });
}
