// What a device sent: what was refused with reason and bytes, and what is accepted while the page is open.

import { reasonOf } from "../shell/action.js";
import { bdi, h } from "../shell/dom.js";
import { get } from "../shell/http.js";
import { full, number, said, t, tn, value } from "../shell/i18n.js";
import { state } from "../shell/state.js";
import { handAt } from "./hand.js";

const PAGE = 5;
const MOST_HEARD = 50;

let box = null;
let device = null;
let refused = { items: [], next: null };
// Names that its readings carry: {measured, extra, hints}.
let names = null;
let heard = [];
let drawn = "";

export function startMessages(element, shown) {
  if (device !== shown) heard = [];
  box = element;
  device = shown;
  refused = { items: [], next: `/api/v1/rejections?limit=${PAGE}&device=${encodeURIComponent(shown)}` };
  names = null;
  drawn = "";
  more();
  get(`/api/v1/ledger?device=${encodeURIComponent(shown)}`).then((found) => {
    if (device === shown) names = found.names;
    fill();
  }).catch(() => {}); // the messages say enough without it
}

// A reading was accepted while somebody looks.
export function hearReading(latest) {
  heard = [latest, ...heard].slice(0, MOST_HEARD);
}

export function drawMessages() {
  if (box && drawn !== stand()) fill();
}

const stand = () => `${heard[0]?.received_at ?? "none"} ${heard.filter((one) => handAt(one.observed_at)).length}`;

async function more() {
  const shown = device;
  try {
    const { items, next } = await get(refused.next);
    if (device !== shown) return;
    refused = { items: [...refused.items, ...items], next, loaded: true };
  } catch (error) {
    refused.failed = reasonOf(error);
  }
  fill();
}

function fill() {
  drawn = stand();
  const open = [...box.querySelectorAll("details[open]")].map((one) => one.dataset.key);
  const focused = box.contains(document.activeElement) && document.activeElement.dataset.focus;
  box.replaceChildren(
    h("section", { class: "padded" }, h("h2", {}, t("messages")),
      h("h3", {}, t("accepted_live")),
      heard.length ? h("ol", { class: "life" }, heard.map(acceptedRow)) : h("p", { class: "meta" }, t("accepted_none")),
      names && elements()),
    h("section", { class: "padded" }, h("h3", {}, t("refused")),
      refused.items.length ? h("ol", { class: "life" }, refused.items.map(refusedRow)) : h("p", { class: "meta" }, t(refused.loaded ? "refused_none" : "loading")),
      refused.failed && h("p", { class: "problem", role: "alert" }, t("failed", { reason: refused.failed })),
      refused.loaded && refused.next && h("button", {
        type: "button", class: "quiet", "data-focus": "refused",
        onclick: (event) => {
          event.target.disabled = true;
          more();
        },
      }, t("show_more"))));
  for (const one of box.querySelectorAll("details")) one.open = open.includes(one.dataset.key);
  if (focused) box.querySelector(`[data-focus="${focused}"]`)?.focus();
}

// A reading: each of its elements is a measurement, believed or not.
function acceptedRow(latest) {
  const kind = state.kinds.get(latest.kind);
  return h("li", {}, h("details", { "data-key": latest.received_at },
    h("summary", {}, h("time", { datetime: latest.received_at }, full(new Date(latest.received_at))), " ",
      h("small", {}, tn("elements", Object.keys(latest.measurements).length)), " ",
      handAt(latest.observed_at) && h("span", { class: "tag is-plain" }, t("entered_by_hand"))),
    h("dl", { class: "facts" }, Object.entries(latest.measurements).map(([name, raw]) => {
      const one = kind?.measurements.find((declared) => declared.name === name) ?? { name, type: typeof raw };
      return h("div", {}, h("dt", {}, bdi(name)),
        h("dd", {}, bdi(value(one, raw)), " · ", t(latest.suspect.includes(name) ? "became_suspect" : "became_measurement", { label: said(one.label, name) })));
    }))));
}

// What its stored readings call their values, and what became of those names.
function elements() {
  const row = ([name, count], text) => h("div", {}, h("dt", {}, bdi(name)), h("dd", {}, text, " · ", tn("readings", count)));
  const rows = [
    ...Object.entries(names.measured).map((one) => row(one, t("name_measured"))),
    ...Object.entries(names.extra).map((one) => row(one, names.hints[one[0]] ? t("name_hint", { hint: `\u2068${names.hints[one[0]]}\u2069` }) : t("name_kept"))),
  ];
  return rows.length > 0 && h("details", { "data-key": "names" }, h("summary", {}, t("names_of_values")), h("dl", { class: "facts" }, rows));
}

const refusedRow = (one) => h("li", {}, h("details", { "data-key": `refused ${one.id}` },
  h("summary", {}, h("time", { datetime: one.received_at }, full(new Date(one.received_at))), " ", h("b", {}, bdi(one.reason))),
  h("p", { class: "meta" }, bdi(one.detail), one.pointer && bdi(one.pointer), h("span", {}, tn("bytes", one.payload_bytes)), bdi(one.topic)),
  one.sent && [h("p", {}, t("sent_by_device")), h("pre", { dir: "ltr", tabindex: "0" }, one.sent), h("p", {}, t("told_by_gateway"))],
  h("pre", { dir: "ltr", tabindex: "0" }, one.payload),
  one.payload_bytes > one.payload.length && one.payload.length >= 4096 && h("small", {}, t("payload_cut", { n: number(one.payload.length, 0) }))));
