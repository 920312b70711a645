// A schematic map drawn from the devices' own positions: no tiles, nothing from another host.
//
// Equirectangular around the middle of the town, which is true enough over a few kilometres. Positions are kept in
// metres; the view (middle and pixels a metre) turns them into pixels.

import { $, h, oncePerFrame, s } from "../shell/dom.js";
import { distance, said, statusText, t, tn } from "../shell/i18n.js";
import { icon } from "../shell/icons.js";
import { SEVERITIES, STATUSES, position, reports, state, statusOf } from "../shell/state.js";

const METRES_A_DEGREE = 111_320;
const MARGIN = 44;
const GROUND_M = 240;
const APART = 17; // pixels between two glyphs that can still be told apart
const MANY = 8;
const AROUND = [-1, 0, 1].flatMap((dx) => [-1, 0, 1].map((dy) => [dx, dy]));

let origin = null;
let view = null;
let touched = false;
let fitted = null;
let openDevice = () => {};
let box = { width: 0, height: 0 };
const layers = {};
const marks = new Map();

export function startMap(handlers) {
  ({ openDevice } = handlers);
  const host = $("map");
  for (const name of ["ground", "grid", "marks"]) layers[name] = s("g", { class: name });
  layers.svg = s("svg", { class: "canvas", tabindex: 0, role: "group" }, layers.ground, layers.grid, layers.marks);
  layers.tip = h("div", { class: "tip", hidden: true });
  layers.scale = h("div", { class: "scale", "aria-hidden": "true" });
  layers.buttons = h("div", { class: "zoom" });
  layers.empty = h("p", { class: "empty over", hidden: true });
  host.append(layers.svg, layers.scale, layers.buttons, layers.tip, layers.empty);
  new ResizeObserver(() => drawMap()).observe(host);
  movable(layers.svg);
}

const metres = ({ lat, lon }) => ({
  x: (lon - origin.lon) * METRES_A_DEGREE * Math.cos((origin.lat * Math.PI) / 180),
  y: -(lat - origin.lat) * METRES_A_DEGREE,
});

const pixels = ({ x, y }) => ({ x: box.width / 2 + (x - view.x) * view.scale, y: box.height / 2 + (y - view.y) * view.scale });

function places() {
  const found = [];
  for (const device of state.devices.values()) {
    const at = position(device);
    if (at) found.push({ device, at });
  }
  return found;
}

function fit(points) {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = Math.min((box.width - 2 * MARGIN) / Math.max(right - left, 200), (box.height - 2 * MARGIN) / Math.max(bottom - top, 200));
  view = { x: (left + right) / 2, y: (top + bottom) / 2, scale: Math.max(scale, 1e-4) };
}

export const drawMap = oncePerFrame(() => {
  box = { width: $("map").clientWidth, height: $("map").clientHeight };
  const found = places();
  layers.empty.hidden = found.length > 0 || !state.loaded;
  layers.empty.textContent = t("map_empty");
  layers.svg.setAttribute("aria-label", tn("map_label", found.length));
  layers.svg.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
  drawButtons();
  drawLegend();
  if (!found.length || !box.width) return;
  origin ??= found[0].at;
  const points = found.map(({ device, at }) => ({ device, ...metres(at) }));
  // Drones move all the time; the map follows only when something new must fit on it.
  const shape = `${points.length} ${box.width} ${box.height}`;
  if (!view || (!touched && shape !== fitted)) fit(points);
  fitted = shape;
  drawGround(points);
  drawGrid();
  drawMarks(points);
});

// Where devices stand there is a town: soft discs run together into its shape.
function drawGround(points) {
  const radius = Math.max(GROUND_M * view.scale, 16);
  const discs = points.filter(({ device }) => reports(device)).map((point) => {
    const { x, y } = pixels(point);
    return s("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: radius.toFixed(1) });
  });
  layers.ground.replaceChildren(...discs);
}

function drawGrid() {
  const step = nice(90 / view.scale);
  const lines = [];
  const left = view.x - box.width / 2 / view.scale;
  const top = view.y - box.height / 2 / view.scale;
  for (let x = Math.ceil(left / step) * step; x < left + box.width / view.scale; x += step) {
    const at = pixels({ x, y: 0 }).x.toFixed(1);
    lines.push(s("path", { d: `M${at} 0V${box.height}` }));
  }
  for (let y = Math.ceil(top / step) * step; y < top + box.height / view.scale; y += step) {
    const at = pixels({ x: 0, y }).y.toFixed(1);
    lines.push(s("path", { d: `M0 ${at}H${box.width}` }));
  }
  layers.grid.replaceChildren(...lines);
  layers.scale.replaceChildren(h("span", { dir: "auto" }, distance(step)));
  layers.scale.style.inlineSize = `${step * view.scale}px`;
}

const nice = (least) => {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((digit) => digit * power).find((step) => step >= least);
};

function drawMarks(points) {
  const placed = points.map((point) => ({ device: point.device, ...pixels(point) }));
  const crowded = crowds(placed);
  const seen = new Set();
  for (const { device, x, y } of placed) {
    const name = device.name;
    const is = reports(device) ? statusOf(name) : "group";
    seen.add(name);
    let mark = marks.get(name);
    const small = !(RANK[is] > 1) && crowded.has(name);
    const key = `${is} ${small}`;
    if (!mark || mark.key !== key) {
      mark?.element.remove();
      mark = { key, is, element: draw(device, is, small) };
      marks.set(name, mark);
      layers.marks.append(mark.element);
    }
    mark.element.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
  }
  for (const [name, mark] of marks) {
    if (!seen.has(name)) {
      mark.element.remove();
      marks.delete(name);
    }
  }
  layers.marks.append(...[...marks.values()].filter((mark) => mark.is in RANK && RANK[mark.is] > 1).sort((a, b) => RANK[a.is] - RANK[b.is]).map((mark) => mark.element));
}

const RANK = Object.fromEntries(STATUSES.map((is, place) => [is, STATUSES.length - 1 - place]));

// Who has a neighbour so close that their glyphs would cover each other; those in good health become dots.
function crowds(placed) {
  const cells = new Map();
  const cell = (x, y) => `${Math.floor(x / APART)} ${Math.floor(y / APART)}`;
  for (const one of placed) {
    const key = cell(one.x, one.y);
    if (!cells.has(key)) cells.set(key, []);
    cells.get(key).push(one);
  }
  const near = (one, other) => one !== other && Math.hypot(one.x - other.x, one.y - other.y) < APART;
  const found = new Set();
  for (const one of placed) {
    for (const [dx, dy] of AROUND) {
      const others = cells.get(cell(one.x + dx * APART, one.y + dy * APART));
      if (others?.length > MANY || others?.some((other) => near(one, other))) found.add(one.device.name);
    }
  }
  return found;
}

function draw(device, is, small) {
  const declared = state.kinds.get(device.kind);
  return s("g", {
    class: `mark is-${is}${small ? " small" : ""}`, "data-device": device.name,
    onpointerenter: () => tip(device), onpointerleave: () => { layers.tip.hidden = true; },
    onclick: () => declared && openDevice(device.name),
  },
  SEVERITIES.slice(0, 2).includes(is) && s("circle", { class: "halo", r: 15 }),
  is === "group" ? s("rect", { x: -4, y: -4, width: 8, height: 8, rx: 2 }) : s("circle", { class: "disc", r: small ? 5 : 10 }),
  declared && !small && icon(declared.icon));
}

function tip(device) {
  const is = statusOf(device.name);
    const { x, y } = pixels(metres(position(device)));
  const kind = state.kinds.get(device.kind);
  layers.tip.replaceChildren(h("b", { dir: "auto" }, device.title || device.name), h("span", { dir: "auto" }, kind ? `${said(kind.title)} · ${statusText(is)}` : device.kind));
  layers.tip.hidden = false;
  layers.tip.style.left = `${Math.min(Math.max(x, 70), box.width - 70)}px`;
  layers.tip.style.top = `${y}px`;
  layers.tip.classList.toggle("below", y < 70);
}

function drawLegend() {
  const present = new Set([...state.devices.values()].filter(reports).map((device) => statusOf(device.name)));
  const shown = STATUSES.filter((is) => present.has(is));
  $("legend").replaceChildren(...shown.map((is) =>
    h("li", { class: `is-${is}` }, statusText(is))));
}

function drawButtons() {
  const button = (sign, label, act) => h("button", { type: "button", "aria-label": label, title: label, onclick: act }, sign);
  if (layers.buttons.dataset.language === document.documentElement.lang) return;
  layers.buttons.dataset.language = document.documentElement.lang;
  layers.buttons.replaceChildren(button("+", t("zoom_in"), () => zoom(1.5)), button("−", t("zoom_out"), () => zoom(1 / 1.5)), button("⤢", t("zoom_all"), everything));
}

function zoom(factor, around = { x: box.width / 2, y: box.height / 2 }) {
  if (!view) return;
  touched = true;
  const scale = Math.min(Math.max(view.scale * factor, 1e-4), 8);
  const at = { x: (around.x - box.width / 2) / view.scale, y: (around.y - box.height / 2) / view.scale };
  view = { x: view.x + at.x - (at.x * view.scale) / scale, y: view.y + at.y - (at.y * view.scale) / scale, scale };
  drawMap();
}

function everything() {
  touched = false;
  fitted = null;
  drawMap();
}

function move(dx, dy) {
  if (!view) return;
  touched = true;
  view = { ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale };
  drawMap();
}

function movable(svg) {
  const fingers = new Map();
  let travelled = 0;
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(1.0015 ** -event.deltaY, { x: event.offsetX, y: event.offsetY });
  }, { passive: false });
  svg.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event);
    travelled = 0;
  });
  svg.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const others = [...fingers.values()].filter((finger) => finger.pointerId !== event.pointerId);
    if (others.length) {
      const apart = (finger) => Math.hypot(finger.clientX - others[0].clientX, finger.clientY - others[0].clientY);
      zoom(apart(event) / Math.max(apart(before), 1));
    } else {
      move(event.clientX - before.clientX, event.clientY - before.clientY);
    }
    travelled += Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY);
    if (travelled > 4 && !svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
  });
  for (const end of ["pointerup", "pointercancel"]) svg.addEventListener(end, (event) => fingers.delete(event.pointerId));
  svg.addEventListener("keydown", (event) => {
    const act = {
      ArrowLeft: () => move(60, 0), ArrowRight: () => move(-60, 0), ArrowUp: () => move(0, 60), ArrowDown: () => move(0, -60),
      "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: everything,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
