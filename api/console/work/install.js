// Installing on the spot: which device, what kind, where; then whether it is heard.

import { reasonOf } from "../shell/action.js";
import { deviceLink, moveLink, place } from "../shell/address.js";
import { bdi, h } from "../shell/dom.js";
import { field, select } from "../shell/forms.js";
import { redraw } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { ago, distance, language, said, t, titleOf } from "../shell/i18n.js";
import { state } from "../shell/state.js";
import { instant } from "./clock.js";
import { put, tried } from "./outbox.js";
import { askPosition, canAsk } from "./position.js";
import { numberOf } from "../shell/numbers.js";
import { idOf } from "./rules.js";

const LISTEN_MS = 5000;
const POOR_M = 30;

let drawn = null;
let planned = null;
let placed = null;

export function drawInstall(view) {
  // What was typed must not be drawn over: the form comes once, when kinds and municipalities are there.
  if (!state.loaded) return view.replaceChildren(h("p", { class: "empty" }, t("loading")));
  if (view.firstChild && drawn === language()) return;
  drawn = language();
  planned = null;
  placed = null;
  view.replaceChildren(moveLink({ install: null, order: null, device: null }, { class: "plain-link back" }, t("back_to_work")), form());
}

function form() {
  const id = h("input", { name: "name", required: true, maxlength: 64, autocapitalize: "none", autocomplete: "off", spellcheck: "false", dir: "ltr", onchange: () => look(id, known, rest) });
  id.value = place().device ?? "";
  const known = h("p", { class: "meta", role: "status", hidden: true });
  const kinds = [...state.kinds.values()].map((kind) => [kind.name, said(kind.title, kind.name)]);
  const towns = [...state.towns.values()].map((town) => [town.name, said(town.title, town.name)]);
  const rest = h("div", { class: "form" },
    field(t("kind"), select({ name: "kind" }, kinds)),
    field(t("municipality"), select({ name: "municipality" }, towns)),
    field(t("place_name"), h("input", { name: "title", maxlength: 200, dir: "auto" }), t("place_name_how")),
    field(t("hangs_on"), h("input", { name: "parent", maxlength: 64, autocapitalize: "none", dir: "ltr" }), t("hangs_on_how")));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const button = h("button", { type: "submit", class: "step primary" }, t("install"));
  const after = h("div", { class: "heard", role: "status" });
  if (id.value) look(id, known, rest);
  return h("form", { class: "form install", onsubmit: async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      await register(Object.fromEntries(new FormData(event.target)), after);
    } catch (error) {
      problem.hidden = false;
      problem.textContent = reasonOf(error);
    }
    button.disabled = false;
  } },
  h("h1", {}, t("nav_install")),
  h("div", { class: "with-button" }, field(t("id_of_device"), id), h("button", { type: "button", onclick: () => scanInto(id) }, t("scan"))),
  known, rest, where(), problem, h("footer", { class: "steps" }, button), after);
}

async function scanInto(id) {
  const { openScan } = await import("./scan.js");
  openScan((name) => {
    id.value = name;
    id.dispatchEvent(new Event("change"));
  });
}

// A device that was planned is installed as it is; one that stands somewhere already is not installed twice.
async function look(id, known, rest) {
  planned = null;
  rest.hidden = false;
  known.hidden = true;
  const name = idOf(id.value);
  if (!name) return;
  id.value = name;
  const found = await get(`/api/v1/devices/${encodeURIComponent(name)}`).catch(() => null);
  if (!found || id.value !== name) return;
  known.hidden = false;
  known.replaceChildren(t(found.life === "planned" ? "is_planned" : "is_installed"), " ", deviceLink(name, { class: "plain-link" }, bdi(titleOf(found))));
  if (found.life !== "planned") return;
  planned = found;
  rest.hidden = true;
}

// Where it stands: by the phone, or typed.
function where() {
  const lat = h("input", { name: "lat", inputmode: "decimal", dir: "ltr" });
  const lon = h("input", { name: "lon", inputmode: "decimal", dir: "ltr" });
  const note = h("p", { class: "meta", role: "status" }, canAsk() ? t("position_how") : t("untrusted_connection"));
  const ask = async (event) => {
    event.target.disabled = true;
    try {
      placed = await askPosition();
      lat.value = placed.lat.toFixed(6);
      lon.value = placed.lon.toFixed(6);
      note.textContent = t(placed.accuracy_m > POOR_M ? "position_poor" : "position_good", { far: distance(Math.round(placed.accuracy_m)) });
    } catch {
      note.textContent = t("phone_no_position");
    }
    event.target.disabled = false;
  };
  return h("fieldset", { class: "form" }, h("legend", {}, t("place")),
    canAsk() && h("button", { type: "button", class: "step", onclick: ask }, t("use_position")), note,
    h("div", { class: "pair" }, field(t("latitude"), lat), field(t("longitude"), lon)));
}

async function register(values, after) {
  const name = idOf(values.name);
  if (!name) throw new Error(t("no_device_id"));
  const point = pointOf(values);
  const group = `device ${name}`;
  let id = null;
  if (planned?.name === name) {
    if (point) await put({ group, device: name, step: "move", method: "PATCH", url: `/api/v1/devices/${encodeURIComponent(name)}`, body: point, timed: null });
    id = await put({ group, device: name, step: "install", url: `/api/v1/devices/${encodeURIComponent(name)}/install`, body: {}, timed: "at" });
  } else {
    const { kind, municipality, title, parent } = values;
    const body = { name, kind, municipality, title: title.trim(), parent: parent.trim() || null, ...point };
    id = await put({ group, device: name, step: "install", url: "/api/v1/devices", body, timed: "installed_at" });
  }
  const entry = await tried(id);
  if (entry?.problem) throw Object.assign(new Error(entry.problem.title), { detail: entry.problem.detail });
  if (entry) after.replaceChildren(h("p", { class: "verdict is-warning" }, t("kept_for_network")));
  else listen(name, after);
}

function pointOf({ lat, lon }) {
  if (!lat && !lon) return null;
  const point = { lat: numberOf(lat, false), lon: numberOf(lon, false) };
  if (!(Math.abs(point.lat) <= 90 && Math.abs(point.lon) <= 180)) throw new Error(t("no_such_place"));
  return point;
}

// An installation that waited has arrived.
export const installed = () => redraw();

// Until its first message is there, or why it was not taken.
async function listen(name, after) {
  const since = new Date(instant()).toISOString();
  after.replaceChildren(h("p", { class: "verdict is-none" }, t("listening")));
  while (after.isConnected) {
    const heard = await hear(name, since).catch(() => null);
    if (heard) after.replaceChildren(heard);
    if (heard?.dataset.done) return;
    await new Promise((done) => setTimeout(done, LISTEN_MS));
  }
}

async function hear(name, since) {
  const url = `/api/v1/devices/${encodeURIComponent(name)}/latest`;
  const latest = await get(url).catch((error) => (error.status === 404 ? null : Promise.reject(error)));
  if (latest?.received_at) {
    return h("p", { class: "verdict is-ok", "data-done": "1" }, t("heard", { ago: ago(new Date(latest.received_at), instant()) }), " ", deviceLink(name, { class: "plain-link" }, t("open_device")));
  }
  const { items } = await get(`/api/v1/rejections?device=${encodeURIComponent(name)}&limit=1`);
  const [refused] = items.filter((one) => one.received_at >= since);
  return refused && h("p", { class: "verdict is-major" }, t("heard_refused"), " ", bdi([refused.reason, refused.pointer, refused.detail].filter(Boolean).join(" ")));
}
