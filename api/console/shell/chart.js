// Charts of readings, drawn by uPlot: a line per series, a band from least to most where readings are summed up,
// suspect values hollow, limits dashed, spans of alerts coloured by severity. They run from left to right in every
// language.

import { h } from "./dom.js";
import { once, styled } from "./fetched.js";
import { day, full, number, t, time, tn, unit, value, zone } from "./i18n.js";
import { aligned, extent, nearest, runs } from "./series.js";

const HEIGHT = 168;
const DAY_MS = 86_400_000;
const LINES = ["--accent", "--major", "--warning", "--silent"];
const FONT = "11px system-ui, sans-serif";
// A drag of fewer pixels was a click.
const LEAST_DRAG = 6;
const STYLES = ["/console/vendor/uplot.css", "/console/chart/chart.css"];

// uPlot and the styles, fetched with the first chart.
const load = once(() => Promise.all([import("../vendor/uplot.js"), ...STYLES.map(styled)]).then(([found]) => found.default));

// Draws into `element`, instead of what stood there.
//
// series: [{label, unit, points: [[ms, value, low?, high?, suspect?]], gap_ms, measurement?, dashed?}], of which
// `measurement` (as a kind declares it) says how values are written and where a counter or a circle breaks;
// start, end: ms; limits: [{value, label, severity?}]; marks: [{from, until (null: goes on), severity, label}];
// stamps: [{at, values by name of measurement, label}], points that people entered;
// onSpan(from, until): a span was dragged over; empty: what is said where there is no point. Returns {update(options), remove()};
// once its element has left the page it removes itself.
export async function chart(element, options) {
  const UPlot = await load();
  const drawing = new Drawing(UPlot, element, options);
  return { update: (changed) => drawing.update(changed), remove: () => drawing.remove() };
}

class Drawing {
  constructor(UPlot, element, options) {
    this.UPlot = UPlot;
    this.element = element;
    this.theme = matchMedia("(prefers-color-scheme: dark)");
    this.again = () => this.element.isConnected && this.update({});
    this.theme.addEventListener("change", this.again);
    this.sizes = new ResizeObserver(() => this.fit());
    this.sizes.observe(element);
    this.options = { limits: [], marks: [], stamps: [] };
    this.update(options);
  }

  update(changed) {
    this.options = { ...this.options, ...changed };
    // Nothing moves under a finger: what comes meanwhile is drawn once it lets go.
    this.late = this.held;
    if (this.held) return;
    this.plot?.destroy();
    this.plot = null;
    const { series } = this.options;
    const figure = h("figure", { class: "chart" }, h("figcaption", {}, caption(series)));
    this.element.replaceChildren(figure);
    if (!series.some(({ points }) => points.length)) {
      figure.append(h("p", { class: "empty" }, this.options.empty ?? t("no_history")));
      return;
    }
    this.readout = h("output", { class: "readout", hidden: true, "aria-live": "polite" });
    this.frame = h("div", {
      class: "plot", dir: "ltr", tabindex: "0", role: "img", "aria-label": describe(this.options), onkeydown: (event) => this.key(event),
      "data-start": this.options.start, onpointerdown: () => this.hold(),
    });
    figure.append(h("div", { class: "frame" }, this.frame, this.readout));
    this.draw();
  }

  draw() {
    const { series, start, end, limits } = this.options;
    const { instants, rows } = aligned(series);
    const units = [...new Set(series.map((one) => one.unit))];
    const scales = Object.fromEntries(units.map((one, i) => {
      const range = extent(series.filter((other) => other.unit === one), i ? [] : limits) ?? [0, 1];
      return [`y${i}`, { range: () => range }];
    }));
    const colour = (name) => getComputedStyle(this.element).getPropertyValue(name).trim();
    this.lines = series.map((_, i) => colour(LINES[i % LINES.length]));
    const parts = series.map((one, i) => plotted(one, rows[i], this.lines[i], `y${units.indexOf(one.unit)}`));
    const bands = [];
    let next = 1;
    for (const part of parts) {
      if (part.banded) bands.push({ series: [next + 2, next + 1], fill: faded(part.stroke, 0.18) });
      next += part.series.length;
    }
    this.plot = new this.UPlot({
      width: this.width(), height: HEIGHT, ms: 1, legend: { show: false }, padding: [10, 20, 0, 0],
      tzDate: (ms) => this.UPlot.tzDate(new Date(ms), zone()),
      scales: { x: { time: true, range: () => [start, end] }, ...scales },
      series: [{}, ...parts.flatMap((part) => part.series)],
      bands,
      axes: [timeAxis(colour), ...units.slice(0, 2).map((one, i) => valueAxis(one, i, colour))],
      cursor: {
        y: false, points: { show: false }, drag: { x: Boolean(this.options.onSpan), y: false, setScale: false, dist: LEAST_DRAG },
      },
      hooks: {
        drawClear: [(plot) => this.drawMarks(plot, colour)],
        draw: [(plot) => this.drawOver(plot, colour)],
        setCursor: [(plot) => this.tell(plot)],
        setSelect: [(plot) => this.chosen(plot)],
      },
    }, [instants, ...parts.flatMap((part) => part.data)], this.frame);
  }

  width = () => Math.max(Math.floor(this.element.clientWidth), 220);

  fit() {
    if (!this.element.isConnected) this.remove();
    else if (this.plot && this.plot.width !== this.width()) this.plot.setSize({ width: this.width(), height: HEIGHT });
  }

  // Below the lines: when alerts were open.
  drawMarks(plot, colour) {
    const { ctx, bbox } = plot;
    const { start, end, marks } = this.options;
    for (const { from, until, severity } of marks) {
      const [first, last] = [Math.max(from, start), Math.min(until ?? end, end)];
      if (first >= last) continue;
      const [x, right] = [plot.valToPos(first, "x", true), plot.valToPos(last, "x", true)];
      const wide = Math.max(right - x, 2 * devicePixelRatio);
      ctx.fillStyle = faded(colour(`--${severity}`), 0.13);
      ctx.fillRect(x, bbox.top, wide, bbox.height);
      ctx.fillStyle = colour(`--${severity}`);
      ctx.fillRect(x, bbox.top, wide, 3 * devicePixelRatio);
    }
  }

  // Above the lines: limits, what is suspect, and points that stand alone.
  drawOver(plot, colour) {
    const { ctx, bbox } = plot;
    const dot = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.font = FONT.replace("11px", `${Math.round(10.5 * dot)}px`);
    const { min, max } = plot.scales.y0;
    let above = -Infinity;
    for (const { value: at, label, severity } of [...this.options.limits].sort((a, b) => b.value - a.value)) {
      if (at < min || at > max) continue;
      const y = Math.round(plot.valToPos(at, "y0", true));
      ctx.strokeStyle = ctx.fillStyle = colour(`--${severity ?? "critical"}`);
      ctx.lineWidth = dot;
      ctx.setLineDash([6 * dot, 4 * dot]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.setLineDash([]);
      // Labels of neighbouring lines stand at either end.
      const near = y - above < 14 * dot;
      above = near ? -Infinity : y;
      ctx.textAlign = near ? "left" : "right";
      ctx.textBaseline = y - bbox.top > 16 * dot ? "bottom" : "top";
      ctx.fillText(label, near ? bbox.left + 4 * dot : bbox.left + bbox.width - 4 * dot, y + (ctx.textBaseline === "bottom" ? -2 : 3) * dot);
    }
    this.options.series.forEach((one, i) => this.drawPoints(plot, one, this.lines[i], colour));
    ctx.restore();
  }

  drawPoints(plot, one, line, colour) {
    const { ctx, bbox } = plot;
    const scale = `y${[...new Set(this.options.series.map(({ unit: own }) => own))].indexOf(one.unit)}`;
    const circle = ([at, raw], radius) => {
      const y = Math.min(Math.max(plot.valToPos(raw, scale, true), bbox.top), bbox.top + bbox.height);
      ctx.beginPath();
      ctx.arc(plot.valToPos(at, "x", true), y, radius * devicePixelRatio, 0, 2 * Math.PI);
    };
    ctx.fillStyle = line;
    for (const run of runs(one)) {
      if (run.length > 1) continue;
      circle(run[0], 1.8);
      ctx.fill();
    }
    ctx.lineWidth = 1.4 * devicePixelRatio;
    ctx.strokeStyle = colour("--major");
    ctx.fillStyle = colour("--card");
    for (const point of one.points) {
      if (!point[4]) continue;
      circle(point, 3);
      ctx.fill();
      ctx.stroke();
    }
    this.drawStamps(plot, one, line, scale, colour);
  }

  // What people entered: a square on its corner.
  drawStamps(plot, one, line, scale, colour) {
    if (one.dashed) return;
    const { ctx } = plot;
    const half = 5 * devicePixelRatio;
    ctx.fillStyle = line;
    ctx.strokeStyle = colour("--card");
    for (const { at, values } of this.options.stamps) {
      const raw = values[one.measurement?.name];
      if (raw === undefined || typeof raw === "string") continue;
      const [x, y] = [plot.valToPos(at, "x", true), plot.valToPos(Number(raw), scale, true)];
      ctx.beginPath();
      for (const [right, down] of [[0, -half], [half, 0], [0, half], [-half, 0]]) ctx.lineTo(x + right, y + down);
      ctx.closePath();
      ctx.fill();
      ctx.stroke();
    }
  }

  // What stands under the cursor, in words.
  tell(plot) {
    const { left } = plot.cursor;
    this.readout.hidden = !(left >= 0);
    if (this.readout.hidden) return;
    const at = plot.posToVal(left, "x");
    const { series, marks, stamps, start, end } = this.options;
    const reach = Math.max((end - start) / 40, 1);
    const found = series.map((one) => ({ one, point: nearest(one.points, at, Math.max(reach, one.gap_ms ?? 0)) })).filter(({ point }) => point);
    const open = marks.filter(({ from, until }) => from <= at && at <= (until ?? end));
    const shown = found[0]?.point[0] ?? at;
    const entered = stamps.filter((one) => Math.abs(one.at - shown) < reach / 10 || one.at === shown);
    this.readout.replaceChildren(
      h("time", {}, full(new Date(shown))),
      ...found.map(({ one, point }) => h("b", {}, series.length > 1 && h("span", {}, one.label, " "), told(one, point))),
      ...entered.map(({ label }) => h("span", { class: "tag is-plain" }, label)),
      ...open.map(({ label, severity }) => h("span", { class: `tag is-${severity}` }, label)));
    this.readout.classList.toggle("flip", left > plot.over.clientWidth / 2);
  }

  chosen(plot) {
    const { left, width } = plot.select;
    if (width < LEAST_DRAG) return;
    const [from, until] = [plot.posToVal(left, "x"), plot.posToVal(left + width, "x")];
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.options.onSpan?.(Math.round(from), Math.round(until));
  }

  // Left and right move along the readings, Escape leaves.
  key(event) {
    const { plot } = this;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!plot || (!step && event.key !== "Escape")) return;
    event.preventDefault();
    const instants = plot.data[0];
    if (!step || !instants.length) return plot.setCursor({ left: -10, top: -10 });
    this.at = Math.min(Math.max((this.at ?? (step > 0 ? -1 : instants.length)) + step, 0), instants.length - 1);
    plot.setCursor({ left: plot.valToPos(instants[this.at], "x"), top: 10 });
  }

  hold() {
    this.held = true;
    const release = () => {
      this.held = false;
      if (this.late) setTimeout(this.again);
    };
    for (const event of ["pointerup", "pointercancel"]) addEventListener(event, release, { once: true });
  }

  remove() {
    this.theme.removeEventListener("change", this.again);
    this.sizes.disconnect();
    this.plot?.destroy();
    this.plot = null;
    this.element.replaceChildren();
  }
}

const written = (one, raw) => value(one.measurement ?? { name: "", unit: one.unit, type: "number" }, raw);

function told(one, [, raw, low, high, suspect]) {
  const range = high > low ? ` (${written(one, low)} – ${written(one, high)})` : "";
  return `${written(one, raw)}${range}${suspect ? ` (${t("suspect")})` : ""}`;
}

// The names of lines, each with its colour where there are several.
function caption(series) {
  const units = [...new Set(series.map((one) => unit(one.unit)))].filter(Boolean);
  const names = series.length > 1
    ? h("span", { class: "keys" }, series.map(({ label, dashed }, i) => h("i", { class: `key line-${i % LINES.length}${dashed ? " dashed" : ""}` }, label)))
    : h("span", {}, series[0]?.label);
  return [names, units.length > 0 && h("span", { class: "unit" }, h("bdi", {}, units.join(", ")))];
}

// The chart in words, for who does not see it.
function describe({ series, limits, marks, stamps }) {
  const lines = series.filter(({ points }) => points.length).map((one) => {
    const good = one.points.filter((point) => !point[4]);
    if (!good.length) return `${one.label}: ${t("suspect")}`;
    const low = good.reduce((least, point) => Math.min(least, point[2] ?? point[1]), Infinity);
    const high = good.reduce((most, point) => Math.max(most, point[3] ?? point[1]), -Infinity);
    const gaps = runs(one).length - 1;
    const said = t("chart_label", { title: one.label, low: written(one, low), high: written(one, high), last: written(one, good.at(-1)[1]) });
    return gaps > 0 && !one.measurement?.circular && !one.measurement?.counter ? `${said}. ${tn("chart_gaps", gaps)}` : said;
  });
  const bounds = limits.map(({ label }) => label);
  const entered = stamps.map(({ at, label }) => `${label}: ${full(new Date(at))}`);
  return [...lines, ...bounds, ...entered, ...(marks.length ? [tn("chart_alerts", marks.length)] : [])].join(". ");
}

// The series that uPlot draws for one of ours: its line, and where readings are summed up the ends of a band.
function plotted(one, row, stroke, scale) {
  const banded = !one.dashed && one.points.some(([, , low, high]) => high > low);
  const points = { show: false };
  const line = { scale, stroke, width: one.dashed ? 1.3 : 1.7, dash: one.dashed ? [5, 4] : undefined, points };
  const edge = { scale, width: 0, stroke: "transparent", points };
  return {
    banded, stroke,
    series: banded ? [line, edge, { ...edge }] : [line],
    data: banded ? [row.value, row.low, row.high] : [row.value],
  };
}

const base = (colour) => ({
  stroke: colour("--soft"), font: FONT, grid: { stroke: colour("--edge"), width: 1 }, ticks: { show: false },
});

const timeAxis = (colour) => ({
  ...base(colour), size: 24, gap: 6, space: 86,
  values: (plot, splits, axis, space, step) => splits.map((at) => {
    const date = new Date(at);
    return step >= DAY_MS || midnight(at) ? day(date) : time(date);
  }),
});

// Whether a day of the reader begins then.
function midnight(at) {
  const parts = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone() }).format(new Date(at));
  return parts === "00:00" || parts === "24:00";
}

function valueAxis(ucum, i, colour) {
  return {
    ...base(colour), scale: `y${i}`, side: i ? 1 : 3, space: 34, gap: 4, grid: { show: !i, stroke: colour("--edge"), width: 1 },
    // The highest tick says the unit of all.
    values: (plot, splits) => splits.map((at, n) => (at === null ? at : `${number(at, 2)}${n === splits.length - 1 ? `\u00a0${unit(ucum)}` : ""}`)),
    size: (plot, values) => 14 + 6.4 * Math.max(3, ...(values ?? []).map((text) => text?.length ?? 0)),
  };
}

// A colour that lets through what is below it; those of the theme are written as #rrggbb.
const faded = (colour, alpha) => `${colour}${Math.round(alpha * 255).toString(16).padStart(2, "0")}`;
