// The list of devices: who they are, the value that says most, when they last spoke.

import { go, moveLink, place } from "../shell/address.js";
import { $, bdi, h } from "../shell/dom.js";
import { said, statusText, t, tn, value } from "../shell/i18n.js";
import { badge } from "../shell/icons.js";
import { STATUSES, reports, state, statusOf } from "../shell/state.js";

const STEP = 60;

let shown = STEP;
let asked = null;
let redraw = () => {};

export function startList(handlers) {
  ({ redraw } = handlers);
  $("search").addEventListener("input", () => go({ words: $("search").value.trim() }, { replace: true }));
}

export function drawList() {
  const { kind, words: typed } = place();
  const words = (typed ?? "").toLowerCase();
  if ($("search").value.trim() !== (typed ?? "")) $("search").value = typed ?? "";
  if (asked !== `${kind} ${words}`) shown = STEP;
  asked = `${kind} ${words}`;
  drawChips();
  const found = [...state.devices.values()]
    .filter((device) => reports(device) && (!kind || device.kind === kind))
    .filter((device) => !words || `${device.name} ${device.title}`.toLowerCase().includes(words))
    .map((device) => ({ device, is: statusOf(device.name) }))
    .sort((a, b) => STATUSES.indexOf(a.is) - STATUSES.indexOf(b.is) || a.device.name.localeCompare(b.device.name));
  const focused = document.activeElement?.dataset?.device;
  $("devices").replaceChildren(...(found.length ? rows(found) : [nothing(words || kind)]));
  if (focused) $("devices").querySelector(`[data-device="${CSS.escape(focused)}"]`)?.focus();
}

function rows(found) {
  const items = found.slice(0, shown).map(({ device, is }) => row(device, is));
  if (found.length > shown) {
    items.push(h("button", { type: "button", class: "quiet more-rows", onclick: () => { shown += STEP; redraw(); } }, t("show_more")));
  }
  if (!state.complete) items.push(h("p", { class: "empty" }, tn("devices_incomplete", state.devices.size)));
  return items;
}

function row(device, is) {
  const declared = state.kinds.get(device.kind);
  const latest = state.latest.get(device.name);
  const headline = declared.measurements.find((one) => one.name === declared.headline);
  return moveLink({ device: device.name }, { class: "row", "data-device": device.name },
    badge(declared.icon, is),
    h("span", { class: "who" }, h("b", {}, bdi(device.title || device.name)), h("small", {}, said(declared.title), " · ", bdi(device.name))),
    h("span", { class: "headline" }, value(headline, latest?.measurements?.[declared.headline]), h("small", {}, said(headline.label))),
    h("span", { class: `tag is-${is}` }, statusText(is)),
    latest ? h("time", { datetime: latest.received_at, "data-since": latest.received_at }) : h("span", {}));
}

const nothing = (filtered) =>
  h("p", { class: "empty" }, t(!state.loaded ? "loading" : filtered ? "devices_none_found" : "devices_empty"));

function drawChips() {
  const names = [...new Set([...state.devices.values()].filter(reports).map((device) => device.kind))].sort();
  const chip = (name, label) => h("button", {
    type: "button", class: "chip", "aria-pressed": String(place().kind === name), onclick: () => go({ kind: name }),
  }, label);
  const chips = [chip(null, t("kind_all")), ...names.map((name) => chip(name, said(state.kinds.get(name).title, name)))];
  const focused = [...$("kinds").children].indexOf(document.activeElement);
  $("kinds").replaceChildren(...(names.length > 1 ? chips : []));
  if (focused >= 0) chips[focused]?.focus();
}
