// The alert queue. Acknowledging says that somebody has seen it, nothing more.

import { deviceLink, place } from "../shell/address.js";
import { sentence } from "../shell/alerts.js";
import { $, arrange, bdi, fill, h, isolated } from "../shell/dom.js";
import { isFiltered } from "../shell/filters.js";
import { may } from "../shell/frame.js";
import { deviceTitle, full, localeTag, number, numerals, said, t, time, tn } from "../shell/i18n.js";
import { badge } from "../shell/icons.js";
import { now, state } from "../shell/state.js";
import { acknowledge, failed, run } from "./acts.js";
import { grouped } from "./groups.js";
import { find, isWorked, list, more } from "./list.js";
import { choose, isChosen } from "./selection.js";

const SOON_MS = 3_600_000;

const fresh = new Set();
// What each row on the screen shows, and each alert as text.
const shown = new WeakMap();
const written = new WeakMap();
let open = () => {};

// The next drawing of this alert shows that it has just come.
export const welcome = (id) => fresh.add(id);

// `opens`: shows an alert with all that is known of it.
export function startQueue(opens) {
  open = opens;
}

export function drawQueue() {
  const ol = $("alerts");
  $("queue").setAttribute("aria-busy", String(!list.loaded));
  if (!list.items.length) {
    ol.replaceChildren(empty());
    drawFurther();
    return;
  }
  const focused = document.activeElement?.closest?.("#alerts [data-focus]")?.dataset.focus;
  const there = new Map([...ol.children].map((one) => [Number(one.dataset.alert), one]));
  const kept = (alert, below) => shown.get(there.get(alert.id)) === keyOf(alert, below) && there.get(alert.id);
  const rows = grouped(list.items, place().group).flatMap(({ title, key, items }) => [
    ...(place().group && place().group !== "incident" ? [heading(title, key, items.length)] : []),
    ...items.map(({ alert, below }) => kept(alert, below) || row(alert, below)),
  ]);
  // Rows that stay are not touched: whoever reads or clicks one keeps it.
  arrange(ol, rows);
  drawFurther();
  const again = focused && ol.querySelector(`[data-focus="${focused}"]`);
  if (again && document.activeElement !== again) again.focus({ preventScroll: true });
}

function empty() {
  if (list.failed) return h("li", { class: "problem empty", role: "alert" }, t("failed", { reason: list.failed }));
  const filtered = isFiltered(place());
  // Silence of the whole town is no good news.
  const well = list.loaded && !filtered && list.open?.reporting > 0;
  return h("li", { class: `empty${well ? " well" : ""}` }, t(!list.loaded ? "loading" : filtered ? "alerts_none_found" : well ? "alerts_empty" : "alerts_quiet"));
}

function drawFurther() {
  $("further").hidden = !list.next;
  fill($("further"), `${list.items.length} ${localeTag()}`, () => [
    h("span", {}, tn("shown_n", list.items.length)),
    h("button", { type: "button", "data-focus": "further", onclick: (event) => run(event.currentTarget, () => more().catch(failed)) }, t("show_more")),
  ]);
}

const heading = (title, key, count) => h("li", { class: "group" },
  h("h2", {}, title === null || title === undefined || title === "" ? t("group_other") : typeof title === "string" ? bdi(title) : said(title, key)), h("span", {}, tn("alerts_n", count)));

// Everything that a row shows; alerts are replaced, never changed.
function keyOf(alert, below) {
  if (!written.has(alert)) written.set(alert, JSON.stringify(alert));
  const parent = alert.inhibited_by ? find(alert.inhibited_by)?.summary.en : "";
  return [written.get(alert), below, parent, isChosen(alert.id), place().alert === alert.id, state.kinds.size, localeTag()].join(" ");
}

function row(alert, below) {
  const icon = state.kinds.get(alert.kind)?.icon;
  const quiet = alert.state !== "firing" || alert.acknowledged_at || alert.inhibited_by || alert.silence;
  const here = place().alert === alert.id;
  const made = h("li", {
    class: `alert is-${alert.severity}${quiet ? " seen" : ""}${below ? " below" : ""}${here ? " open" : ""}${isChosen(alert.id) ? " chosen" : ""}${fresh.delete(alert.id) ? " fresh" : ""}`,
    "data-alert": alert.id, "data-focus": `row ${alert.id}`, tabindex: "-1", "aria-current": here && "true",
    onclick: (event) => event.target.closest("a, button, input, label") || String(getSelection()) || open(alert.id),
  },
  h("label", { class: "pick" }, h("input", {
    type: "checkbox", checked: isChosen(alert.id), "data-focus": `pick ${alert.id}`, "aria-label": t("choose_alert", { summary: said(alert.summary, alert.rule) }),
    onclick: (event) => choose(alert.id, { through: event.shiftKey }),
  })),
  badge(icon, alert.severity),
  h("div", { class: "alert-text" },
    h("p", { class: "summary" }, sentence(alert)),
    h("p", { class: "meta" },
      h("span", { class: `tag is-${alert.severity}` }, t(`severity_${alert.severity}`)),
      deviceLink(alert.device, { class: "plain-link", "data-focus": `device ${alert.id}` }, bdi(deviceTitle(alert))),
      alert.district && h("span", {}, said(alert.district_title, alert.district)),
      h("time", { datetime: alert.opened_at, title: full(new Date(alert.opened_at)), "data-since": alert.opened_at })),
    notes(alert)),
  h("div", { class: "actions" },
    alert.state === "firing" && !alert.acknowledged_at && may("answer-alerts") && h("button", {
      type: "button", class: "primary", "data-focus": `ack ${alert.id}`, onclick: (event) => run(event.currentTarget, () => acknowledge([alert])),
    }, t("acknowledge")),
    h("button", { type: "button", class: "quiet", "data-focus": `more ${alert.id}`, "aria-expanded": String(here), onclick: () => open(here ? null : alert.id) }, t("details"))));
  shown.set(made, keyOf(alert, below));
  return made;
}

const name = (text) => `\u2068${text ?? ""}\u2069`;

function notes(alert) {
  const note = (text, css = "") => h("span", { class: css }, text);
  const found = [
    alert.course && note(isolated(numerals(said(alert.course)))),
    alert.inhibited_by && note(t("inhibited", { parent: explanation(alert) })),
    held(alert),
    alert.unknown && note(t("unknown")),
    alert.acknowledged_at && note(t("acknowledged_by", { name: name(alert.acknowledged_by) })),
    alert.assignee && note(t("assigned_to", { name: name(alert.assignee) }), "with"),
    isWorked(alert) && note(t(`work_${alert.work_state.replaceAll("-", "_")}`), "with"),
    isWorked(alert) && alert.work_due && due(alert),
    alert.held_by && note(t("held_by")),
    alert.silenced_until && note(t("silenced_until", { time: full(new Date(alert.silenced_until)) })),
    alert.resolved_at && note(t("alert_ended", { time: full(new Date(alert.resolved_at)) })),
  ].filter(Boolean);
  return found.length > 0 && h("p", { class: "meta note" }, found);
}

export function due(alert) {
  const left = Date.parse(alert.work_due) - now();
  return h("span", { class: left < 0 ? "due late" : left < SOON_MS ? "due near" : "due" }, t(left < 0 ? "due_passed" : "due_by", { time: full(new Date(alert.work_due)) }));
}

// Nobody is called before it is sure that no other alert explains this one.
const held = ({ held_until: until, inhibited_by: inhibited, state: at }) =>
  until && !inhibited && at === "firing" && h("span", { "data-until": until }, t("held", { time: time(new Date(until)) }));

// What the alert that explains this one says; its number where it is not among those shown.
function explanation({ inhibited_by: id }) {
  const parent = find(id);
  return parent ? name(said(parent.summary, parent.rule)) : number(id, 0);
}
