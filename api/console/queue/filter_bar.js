// What is listed, in which order and in which groups: chosen here, kept in the address.

import { addressOf, place } from "../shell/address.js";
import { $, fill, h } from "../shell/dom.js";
import { FILTERS, NO_FILTERS, isFiltered } from "../shell/filters.js";
import { field, select } from "../shell/forms.js";
import { may } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { localeTag, number, said, t, zone } from "../shell/i18n.js";
import { fromLocalText, localText } from "../shell/moments.js";
import { SEVERITIES, state } from "../shell/state.js";
import { GROUPS } from "./groups.js";
import { ORDERS, list, order, sums } from "./list.js";

const TYPED_MS = 300;

let teams = [];
let drawn = "";
let typing = null;

export async function loadTeams() {
  if (may("read-names")) teams = (await get("/api/v1/teams")).items;
  drawn = "";
}

// `move` shows what the address says; typed words do not fill the way back.
export function drawFilters(move) {
  drawSeverities(move);
  const choices = optionsNow();
  const key = JSON.stringify([choices, document.documentElement.lang, Object.keys(FILTERS).map((name) => name !== "words" && place()[name]), place().order, place().group]);
  const box = $("filters").querySelector("[name=words]");
  if (box && box !== document.activeElement) box.value = place().words ?? "";
  if (key === drawn || $("filters").contains(document.activeElement)) return;
  drawn = key;
  const open = $("filters").querySelector("details")?.open ?? Boolean(place().kind || place().district || place().team || place().rule || place().state || place().from || place().until);
  const change = (name) => ({ name, onchange: (event) => move({ [name]: event.target.value || null }) });
  const instant = (name) => h("input", {
    type: "datetime-local", name, value: place()[name] ? localText(Date.parse(place()[name]), zone()) : "",
    onchange: (event) => {
      const at = fromLocalText(event.target.value, zone());
      move({ [name]: Number.isNaN(at) ? null : new Date(at).toISOString().replace(".000Z", "Z") });
    },
  });
  const words = h("input", { type: "search", name: "words", maxlength: 200, value: place().words ?? "", "aria-label": t("alert_words"), placeholder: t("alert_words"), oninput: (event) => typed(event.target.value, move) });
  $("filters").replaceChildren(
    h("div", { class: "filter-line" }, words,
      select({ ...change("order"), "aria-label": t("sorting") }, ORDERS.map((one) => [one, t(`order_${one}`)]), order()),
      select({ ...change("group"), "aria-label": t("group") }, [["", t("group_nothing")], ...GROUPS.map((one) => [one, t(`group_${one}`)])], place().group ?? "")),
    h("details", { open }, h("summary", {}, t("more_filters")),
      h("div", { class: "fields" },
        field(t("filter_state"), select(change("state"), [["", t("state_open")], ["resolved", t("state_resolved")], ["all", t("state_all")]], place().state ?? "")),
        field(t("filter_from"), instant("from")),
        field(t("filter_until"), instant("until")),
        ...Object.entries(choices).map(([name, options]) => options.length > 0 && field(t(`filter_${name}`), select(change(name), [["", t("all")], ...options], place()[name] ?? ""))).filter(Boolean))));
}

function typed(text, move) {
  clearTimeout(typing);
  typing = setTimeout(() => move({ words: text.trim() || null }, { replace: Boolean(place().words) }), TYPED_MS);
}

function optionsNow() {
  const items = [...(list.counts?.items ?? []), ...(list.open?.items ?? [])];
  const titles = new Map(items.filter((one) => one.district).map((one) => [one.district, said(one.district_title, one.district)]));
  const rules = new Set(items.map(({ rule }) => rule));
  if (place().rule) rules.add(place().rule);
  if (place().district && !titles.has(place().district)) titles.set(place().district, place().district);
  return {
    kind: [...state.kinds.values()].map((kind) => [kind.name, said(kind.title, kind.name)]),
    district: [...titles],
    team: teams.map((team) => [team.name, said(team.title, team.name)]),
    rule: [...rules].sort().map((rule) => [rule, rule]),
  };
}

function drawSeverities(move) {
  const { all, ...each } = sums(list.counts);
  const chip = (name, css, pressed, label, count, changes) => h("button", {
    type: "button", class: `chip is-${css}`, "data-chip": name, "aria-pressed": String(Boolean(pressed)), onclick: () => move(changes),
  }, label, count !== null && h("b", {}, number(count, 0)));
  fill($("severities"), JSON.stringify([localeTag(), all, each, place(), may("answer-alerts")]), () => [
    chip("all", "plain", !place().severity, t("severity_all"), all.alerts, { severity: null }),
    ...SEVERITIES.map((one) => chip(one, one, place().severity === one, t(`severity_${one}`), each[one].alerts, { severity: one })),
    chip("unseen", "plain", place().unseen, t("unseen"), null, { unseen: place().unseen ? null : "1" }),
    may("answer-alerts") && chip("mine", "plain", place().mine, t("mine"), null, { mine: place().mine ? null : "1" }),
    isFiltered(place()) && h("a", { class: "plain-link clear", "data-chip": "clear", href: addressOf(NO_FILTERS), onclick: (event) => (event.preventDefault(), move(NO_FILTERS)) }, t("clear_filters")),
  ], "data-chip");
}

export const focusSearch = () => $("filters").querySelector("[name=words]").focus();

