// The list: my work by deadline or distance; for who directs work also everybody's, with filters.

import { reasonOf } from "../shell/action.js";
import { go, moveLink, place } from "../shell/address.js";
import { h } from "../shell/dom.js";
import { select } from "../shell/forms.js";
import { may, redraw } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { ago, said, t } from "../shell/i18n.js";
import { SEVERITIES } from "../shell/state.js";
import { toast } from "../shell/toast.js";
import { allBy, isLoaded, lately, mine, more } from "./orders.js";
import { askPosition, canAsk, position } from "./position.js";
import { deviceNamed, openReading } from "./reading.js";
import { LATE_POSITION_MS, isPlaced, sorted } from "./rules.js";
import { instant } from "./clock.js";
import { canTell, isTold, tellHere } from "../shell/push.js";
import { dueWords, farWords, personWords, severityTag, stateTag, what, where } from "./words.js";

const STATES = ["open", "assigned", "accepted", "on-the-way", "in-progress", "done", "cancelled"];

let teams = null;
let map = null;
let told = null;

const seesAll = () => may("direct-work") && Boolean(place().all);

export function drawList(view) {
  const found = seesAll() ? allBy(query()).items : sorted(mine(), place().sort, position(), instant(), SEVERITIES);
  if (!view.firstChild) view.append(...frame());
  const [head, filters, list] = view.children;
  const focused = document.activeElement?.dataset?.focus;
  head.replaceChildren(...heading());
  if (seesAll()) drawFilters(filters, found);
  filters.hidden = !seesAll();
  list.replaceChildren(...cards(found));
  map?.update(mapped(found));
  if (focused && document.activeElement === document.body) view.querySelector(`[data-focus="${focused}"]`)?.focus();
}

function frame() {
  map?.remove();
  map = null;
  return [h("header", { class: "work-head" }), h("div", { class: "filters", hidden: true }), h("div", { class: "orders" }), footer()];
}

function heading() {
  const tab = (all, text) => moveLink({ all }, { "aria-current": Boolean(place().all) === Boolean(all) && "page", "data-focus": `tab ${all}` }, text);
  return [
    h("h1", {}, t("nav_work")),
    may("direct-work") && h("nav", { class: "tabs", "aria-label": t("nav_work") }, tab(null, t("my_work")), tab("1", t("all_work"))),
    !seesAll() && h("div", { class: "chips", role: "group", "aria-label": t("sort_by") },
      sortChip(null, t("by_deadline")), canAsk() && sortChip("distance", t("by_distance"))),
    stale(),
  ].filter(Boolean);
}

const sortChip = (sort, text) => h("button", {
  type: "button", class: "chip", "aria-pressed": String((place().sort ?? null) === sort), "data-focus": `sort ${sort}`, onclick: () => sortBy(sort),
}, text);

async function sortBy(sort) {
  go({ sort });
  if (sort !== "distance") return;
  try {
    await askPosition();
  } catch {
    toast(t("phone_no_position"), { failed: true });
  }
  redraw();
}

function stale() {
  const here = position();
  if (place().sort !== "distance" || seesAll()) return null;
  if (!here) return h("p", { class: "meta" }, t("phone_no_position"));
  const old = Date.now() - here.at > LATE_POSITION_MS;
  return old && h("p", { class: "meta" }, t("old_position", { ago: ago(new Date(here.at), Date.now()) }));
}

function cards(found) {
  const over = seesAll() ? [] : lately();
  const all = seesAll() ? allBy(query()) : null;
  return [
    found.length ? h("ol", {}, found.map(card)) : h("p", { class: "empty" }, empty(all)),
    all?.failed && h("p", { class: "problem", role: "alert" }, t("failed", { reason: all.failed })),
    all?.next && h("button", { type: "button", class: "quiet more-rows", "data-focus": "more", onclick: () => more() }, t("show_more")),
    over.length > 0 && h("h2", {}, t("done_lately")),
    over.length > 0 && h("ol", {}, over.map(card)),
  ].filter(Boolean);
}

const empty = (all) => t(!isLoaded() || all?.loading ? "loading" : all ? "work_none_found" : "work_empty");

function card(order) {
  return h("li", { class: `order is-${order.severity}` }, moveLink({ order: order.id, install: null }, { class: "order-link", "data-focus": `order ${order.id}` },
    h("span", { class: "tags" }, severityTag(order), stateTag(order), verified(order), order.ahead && h("span", { class: "tag is-none" }, t("not_sent_yet"))),
    h("b", { class: "what", dir: "auto" }, what(order)),
    h("span", { class: "where" }, where(order)),
    h("span", { class: "meta" }, dueWords(order), farWords(order), seesAll() && h("span", {}, personWords(order)))));
}

const verified = ({ verification, state }) => state === "done" && verification === "verified" && h("span", { class: "tag is-ok" }, t("verified_tag"));

// What the address asks for, as the API takes it.
function query() {
  const { state, late, team, person, district, words } = place();
  const asked = new URLSearchParams();
  if (state === "any") asked.delete("open");
  else if (state) asked.set("state", state);
  else asked.set("open", "true");
  if (late) asked.set("overdue", "true");
  for (const [name, value] of Object.entries({ team, assignee: person, district, text: words })) if (value) asked.set(name, value);
  return `&${asked}`;
}

function drawFilters(element, found) {
  loadTeams();
  const key = JSON.stringify([query(), teams, options(found, "assignee"), options(found, "district")]);
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  const focused = document.activeElement?.name;
  const chosen = place();
  const choice = (name, label, given) => select(
    { name, "aria-label": label, onchange: (event) => go({ [name]: event.target.value || null }) }, [["", label], ...given], chosen[name] ?? "");
  element.replaceChildren(
    choice("state", t("open_work"), [...STATES.map((state) => [state, t(`work_state_${state}`)]), ["any", t("any_state")]]),
    choice("late", t("late_or_not"), [["1", t("late_only")]]),
    choice("team", t("every_team"), (teams ?? []).map(({ name, title }) => [name, said(title, name)])),
    choice("person", t("everybody"), [["nobody", t("nobody")], ...with_(options(found, "assignee"), chosen.person)]),
    choice("district", t("every_district"), with_(options(found, "district"), chosen.district)),
    h("input", { type: "search", name: "words", "aria-label": t("search_orders"), placeholder: t("search_orders"), maxlength: 200, value: chosen.words ?? "", onchange: (event) => go({ words: event.target.value.trim() || null }) }));
  if (focused) element.querySelector(`[name="${focused}"]`)?.focus();
}

const options = (found, name) => [...new Set(found.map((order) => order[name]).filter(Boolean))].sort();
const with_ = (names, chosen) => [...new Set([...names, ...(chosen && chosen !== "nobody" ? [chosen] : [])])].map((name) => [name, name]);

async function loadTeams() {
  if (teams) return;
  teams = [];
  try {
    teams = (await get("/api/v1/teams?limit=200")).items;
    redraw();
  } catch {
    teams = null; // asked again with the next drawing
  }
}

// What is needed seldom: the map, other ways in, and what this browser can and cannot do.
function footer() {
  const place_ = h("div", { class: "work-map", hidden: true });
  const button = h("button", { type: "button", onclick: () => openMap(place_, button) }, t("show_map"));
  const tell = h("div", { class: "tell" });
  drawTell(tell);
  return h("footer", { class: "work-foot" }, place_,
    h("p", { class: "ways" }, button,
      h("button", { type: "button", onclick: scan }, t("scan")),
      may("enter-readings") && h("button", { type: "button", "data-focus": "read", onclick: read }, t("enter_reading")),
      may("install-devices") && moveLink({ install: true, order: null }, { class: "way" }, t("nav_install"))), tell, missing());
}

async function openMap(element, button) {
  button.disabled = true;
  try {
    const { smallMap } = await import("../map/small.js");
    element.hidden = false;
    const found = seesAll() ? allBy(query()).items : mine();
    const made = await smallMap(element, mapped(found));
    if (!element.isConnected) return made.remove();
    map = made;
    button.hidden = true;
  } catch (error) {
    element.hidden = true;
    button.disabled = false;
    toast(t("failed", { reason: reasonOf(error) }), { failed: true });
  }
  return undefined;
}

const mapped = (found) => ({
  points: found.filter(isPlaced).map((order) => ({ lat: order.lat, lon: order.lon, title: what(order), status: order.severity })), me: position(),
});

async function scan() {
  const { openScan } = await import("./scan.js");
  openScan(async (device) => {
    const own = mine().find((order) => order.device === device);
    if (own) return go({ order: own.id });
    try {
      await get(`/api/v1/devices/${encodeURIComponent(device)}`);
    } catch (error) {
      if (error.status === 404 || error.status === undefined) return go({ install: true, device });
      throw error;
    }
    return location.assign(`/devices/${encodeURIComponent(device)}`);
  });
}

// At a device of which there is no work: its code is scanned, or its id typed.
async function read() {
  const { openScan } = await import("./scan.js");
  openScan(async (device) => {
    const known = mine().find((order) => order.device === device) ?? await deviceNamed(device);
    // Once the window of the code is closed.
    setTimeout(() => openReading(known));
  });
}

async function drawTell(element) {
  if (!(await canTell())) return;
  told = await isTold();
  element.replaceChildren(h("button", { type: "button", disabled: told, onclick: async (event) => {
    event.target.disabled = true;
    try {
      await tellHere();
      await drawTell(element);
    } catch (error) {
      event.target.disabled = false;
      toast(t("failed", { reason: reasonOf(error) }), { failed: true });
    }
  } }, t(told ? "told_here" : "tell_here")));
}

// Where the browser does not trust the connection it gives a page none of these.
const missing = () => !isSecureContext && h("p", { class: "meta" }, t("untrusted_connection"), " ", h("a", { class: "plain-link", href: "/trust" }, t("trust_it")));
