// What the parts of administration are made of: cards, facts, lists by page, choices of roles and towns.

import { reasonOf } from "../shell/action.js";
import { h } from "../shell/dom.js";
import { get } from "../shell/http.js";
import { full, said, t, zone } from "../shell/i18n.js";
import { fromLocalText } from "../shell/moments.js";
import { numberOf } from "../shell/numbers.js";
import { state } from "../shell/state.js";
import { table } from "../shell/tables.js";
import { updateTimes } from "../shell/times.js";

export const card = (title, actions, ...body) =>
  h("section", { class: "card", "aria-label": title },
    h("div", { class: "card-head" }, h("h2", {}, title), h("div", { class: "actions-row" }, actions)), body);

export const padded = (...body) => h("div", { class: "padded" }, body);
export const note = (text) => h("p", { class: "hint" }, text);
export const since = (instant) => (instant ? h("time", { datetime: instant, title: full(new Date(instant)), "data-since": instant }) : "–");
export const at = (instant, timeZone) => (instant ? h("time", { datetime: instant }, full(new Date(instant), timeZone)) : "–");
export const tag = (text, is = "none") => h("span", { class: `tag is-${is}` }, text);
export const measurementName = (kind, name) => said(state.kinds.get(kind)?.measurements.find((one) => one.name === name)?.label, name);
export const townName = (name) => said(state.towns.get(name)?.title, name);

// Pairs of a label and what it is; empty ones are left out.
export const facts = (pairs) => h("dl", { class: "facts" },
  pairs.filter((pair) => pair && ![null, undefined, false, ""].includes(pair[1])).map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))));

// A list of the API, a page at a time.
export function listed(path, columns, { empty, caption, pick = (page) => page.items }) {
  const box = h("div", { class: "listed" });
  const items = [];
  let next = path;
  async function more() {
    const page = await get(next);
    items.push(...pick(page));
    next = page.next;
    const button = next && h("button", { type: "button", class: "more", onclick: () => more().catch((error) => box.append(h("p", { class: "problem" }, reasonOf(error)))) }, t("show_more"));
    box.replaceChildren(table(columns, items, { empty, caption }), button || "");
    updateTimes(box);
  }
  return more().then(() => box);
}

// `options` for a choice of a municipality; with `all` also none of them.
export const townOptions = (all) => [...(all ? [["", all]] : []), ...[...state.towns.keys()].sort().map((name) => [name, townName(name)])];
export const kindOptions = (any) => [...(any ? [["", any]] : []), ...[...state.kinds.values()].map((kind) => [kind.name, said(kind.title, kind.name)])];

// What a form's field says: text without blanks around, null where it is empty.
export const filled = (text) => text?.trim() || null;
// A number as people type it; null where nothing stands there.
export function numeric(text) {
  if (filled(text) === null) return null;
  const number = numberOf(text);
  if (Number.isNaN(number)) throw new Error(t("not_a_number", { text }));
  return number;
}
// Without the members that are null.
export const present = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));

// The time zone of a town; without one that in which the page says times.
export const zoneOf = (town) => state.towns.get(town)?.time_zone ?? zone();
// That of a device, which may be of any town.
export const zoneOfDevice = async (name) => zoneOf((await get(`/api/v1/devices/${encodeURIComponent(name)}`)).municipality);
// The instant that <input type="datetime-local"> says by the clocks of a town, wherever the browser is.
export const fromLocal = (text, timeZone) => (text ? new Date(fromLocalText(text, timeZone)).toISOString() : null);
