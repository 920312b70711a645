// The list of devices: found, filtered and sorted by the API, a page at a time, with a file of all that is found.

import { reasonOf } from "../shell/action.js";
import { go, moveLink, place } from "../shell/address.js";
import { districtsOf } from "../shell/districts.js";
import { $, arrange, bdi, h } from "../shell/dom.js";
import { report } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { language, localeTag, said, statusText, t, titleOf, unit, value } from "../shell/i18n.js";
import { badge } from "../shell/icons.js";
import { state } from "../shell/state.js";

const PAGE = 50;
const TYPED_MS = 250;
const AGAIN_MS = 4000;
const STATUSES = ["alerting", "silent", "ok", "none"];
const SORTS = ["worst", "name", "heard", "highest", "lowest"];
// Columns beside the value that says most, where one kind is listed.
const COLUMNS = 3;
const FILTERS = ["kind", "district", "status", "words", "measurement", "above", "below", "sort"];

let redraw = () => {};
let rows = [];
let next = null;
let loaded = null;
let failed = null;
let districts = [];
let timer = null;
let formOf = null;

export function startList(handlers) {
  ({ redraw } = handlers);
}

// What the address wants, as a query of the API.
function query(more = {}) {
  const { kind, district, status, words, measurement, above, below, sort } = place();
  const valued = measurement && (above || below || ["highest", "lowest"].includes(sort));
  const wanted = { kind, district, status, words, ...(valued ? { measurement, above, below } : {}), sort: valued || !["highest", "lowest"].includes(sort) ? sort ?? "worst" : "worst", ...more };
  return new URLSearchParams(Object.entries(wanted).filter(([, one]) => one));
}

export async function loadList() {
  const asked = `/api/v1/standings?${query({ limit: PAGE })}`;
  loaded = asked;
  try {
    const found = await get(asked);
    if (loaded !== asked) return; // the reader asked for something else meanwhile
    [rows, next, failed] = [found.items, found.next, null];
  } catch (error) {
    if (!error.status) throw error;
    [rows, next, failed] = [[], null, reasonOf(error)];
  }
  redraw();
}

async function loadMore(event) {
  event.target.disabled = true;
  try {
    const asked = loaded;
    const found = await get(next);
    if (loaded !== asked) return;
    rows = [...rows, ...found.items];
    ({ next } = found);
  } catch (error) {
    report(error);
  }
  redraw();
}

export function drawList() {
  const { device } = place();
  $("list").hidden = Boolean(device);
  if (device || !language() || !state.loaded) return;
  if (loaded !== `/api/v1/standings?${query({ limit: PAGE })}`) loadList().catch(report);
  drawFilters();
  drawExports();
  const focused = $("devices").contains(document.activeElement) && document.activeElement.dataset.device;
  const there = new Map([...$("devices").children].map((one) => [one.dataset.device, one]));
  const kept = (one) => shown.get(there.get(one.name)) === keyOf(one) && there.get(one.name);
  arrange($("devices"), [...(rows.length ? rows.map((one) => kept(one) || row(one)) : [nothing()]),
    ...(next ? [h("button", { type: "button", class: "quiet more-rows", onclick: loadMore }, t("show_more"))] : [])]);
  if (focused && document.activeElement.dataset.device !== focused) $("devices").querySelector(`[data-device="${CSS.escape(focused)}"]`)?.focus();
}

// What each row on the screen shows, and each device as text.
const shown = new WeakMap();
const written = new WeakMap();

// Everything that a row shows, the address it leads to included; a device is replaced, never changed.
function keyOf(device) {
  if (!written.has(device)) written.set(device, JSON.stringify(device));
  return `${written.get(device)} ${localeTag()} ${location.search}`;
}

function nothing() {
  if (failed) return h("p", { class: "problem padded", role: "alert" }, t("failed", { reason: failed }));
  const filtered = FILTERS.some((name) => name !== "sort" && place()[name]);
  return h("p", { class: "empty" }, t(filtered ? "devices_none_found" : "devices_empty"));
}

function row(device) {
  const kind = state.kinds.get(device.kind);
  const asked = kind?.measurements.find((one) => one.name === place().measurement);
  const headline = asked ?? kind?.measurements.find((one) => one.name === kind.headline);
  const beside = place().kind && kind ? kind.measurements.filter((one) => one !== headline && one.type !== "text" && one.name in device.measurements).slice(0, COLUMNS) : [];
  const where = [said(kind?.title, device.kind), device.name, said(device.district_title), said(device.street_title)].filter(Boolean);
  const made = moveLink({ device: device.name }, { class: `row${place().kind ? " wide" : ""}`, "data-device": device.name },
    badge(kind?.icon, device.status),
    h("span", { class: "who" }, h("b", {}, bdi(titleOf(device))), h("small", {}, where.flatMap((one, i) => [i ? " · " : "", bdi(one)]))),
    cell("headline", headline, device),
    beside.map((one) => cell("cell", one, device)),
    h("span", { class: `tag is-${device.status}` }, statusText(device.status)),
    device.received_at ? h("time", { datetime: device.received_at, "data-since": device.received_at }) : h("span", {}));
  shown.set(made, keyOf(device));
  return made;
}

function cell(name, one, device) {
  const doubtful = one && device.suspect.includes(one.name);
  return h("span", { class: name }, one && bdi(value(one, device.measurements[one.name])), one && h("small", {}, said(one.label), doubtful && ` (${t("suspect")})`));
}

// The form is drawn anew only when what it offers changes: nobody loses what they type.
function drawFilters() {
  const { kind, district, status, measurement, above, below, sort } = place();
  const key = [language(), kind, district, status, measurement, above, below, sort, districts.length].join(" ");
  if (formOf === key) return;
  formOf = key;
  if (!districts.length) loadDistricts();
  const form = $("filters");
  const focused = form.contains(document.activeElement) && document.activeElement.name;
  const typed = form.elements.words?.value;
  const choose = (name, label, options) => h("select", {
    name, "aria-label": label, onchange: (event) => go({ [name]: event.target.value || null, ...(name === "kind" ? { measurement: null, above: null, below: null } : {}) }),
  }, options.map(([one, text]) => h("option", { value: one, selected: (place()[name] ?? "") === one }, text)));
  const kinds = [...state.kinds.values()].map((one) => [one.name, said(one.title, one.name)]);
  const measured = (state.kinds.get(kind)?.measurements ?? []).filter((one) => one.type === "number");
  form.replaceChildren(...[
    h("input", { type: "search", id: "search", name: "words", "aria-label": t("search"), placeholder: t("search_devices"), maxlength: 200, oninput: typing, value: typed ?? place().words ?? "" }),
    choose("kind", t("kind"), [["", t("kind_all")], ...kinds]),
    districts.length > 0 && choose("district", t("district"), [["", t("district_all")], ...districts.map(([code, names]) => [code, said(names, code)])]),
    choose("status", t("status"), [["", t("status_all")], ...STATUSES.map((one) => [one, t(`status_${one}`)])]),
    measured.length > 0 && h("fieldset", { class: "value-filter" }, h("legend", { class: "unseen" }, t("value_filter")),
      choose("measurement", t("measurement"), [["", t("value_any")], ...measured.map((one) => [one.name, `${said(one.label, one.name)}${unit(one.unit) ? ` (${unit(one.unit)})` : ""}`])]),
      measurement && bound("above", ">"), measurement && bound("below", "<")),
    choose("sort", t("sort"), SORTS.filter((one) => measurement || !["highest", "lowest"].includes(one)).map((one) => [one === "worst" ? "" : one, t(`sort_${one}`)])),
    FILTERS.some((name) => place()[name]) && h("button", { type: "button", class: "quiet", onclick: clear }, t("filters_clear")),
  ].filter(Boolean));
  if (focused) form.elements[focused]?.focus();
}

// Nothing is listed that the form does not say; a search that is typed is in the address a moment later.
function bound(name, sign) {
  return h("label", { class: "bound" }, h("span", {}, sign), h("input", {
    name, type: "number", step: "any", value: place()[name] ?? "", "aria-label": t(`value_${name}`), inputmode: "decimal", dir: "ltr",
    onchange: (event) => go({ [name]: event.target.value || null }),
  }));
}

function typing(event) {
  clearTimeout(timer);
  const words = event.target.value.trim();
  timer = setTimeout(() => go({ words: words || null }, { replace: true }), TYPED_MS);
}

function clear() {
  formOf = null;
  $("filters").replaceChildren();
  go(Object.fromEntries(FILTERS.map((name) => [name, null])));
}

async function loadDistricts() {
  if (loadDistricts.asked) return;
  loadDistricts.asked = true;
  const found = await Promise.all([...state.towns.keys()].map(districtsOf));
  districts = found.flatMap(Object.entries);
  if (districts.length) redraw();
}

// A file has all that is found, not only what is on the screen.
function drawExports() {
  const file = (text, more) => h("a", { class: "button", href: `/api/v1/standings?${query(more)}`, download: "" }, text);
  $("exports").replaceChildren(
    file(t("export_csv"), { format: "csv", bom: "true" }), file("NDJSON", { format: "ndjson" }), file("Parquet", { format: "parquet" }),
    h("button", { type: "button", class: "quiet", onclick: () => print() }, t("print")));
}

let again = null;

// Values of rows on the screen change by themselves; whoever is found is asked again a little later.
export const hearList = {
  latest({ items }) {
    if (place().device) return;
    const mine = new Map(rows.map((one, i) => [one.name, i]));
    const news = items.filter((one) => mine.has(one.device));
    for (const { device, observed_at, received_at, suspect, measurements } of news) {
      const i = mine.get(device);
      rows[i] = { ...rows[i], observed_at, received_at, suspect, measurements };
    }
    if (news.length) redraw();
  },
  alert: () => askAgain(),
  missed: () => askAgain(),
};

function askAgain() {
  if (place().device || again || rows.length > PAGE) return;
  again = setTimeout(() => {
    again = null;
    if (!place().device) loadList().catch(report);
  }, AGAIN_MS);
}
