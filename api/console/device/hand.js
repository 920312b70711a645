// What people entered of a device by hand: who, when and what, the last first; and the window in which one is entered.

import { reasonOf } from "../shell/action.js";
import { openDialog } from "../shell/dialog.js";
import { h } from "../shell/dom.js";
import { get, post } from "../shell/http.js";
import { full, t } from "../shell/i18n.js";
import { handWords, readingForm } from "../shell/reading_form.js";
import { now, state } from "../shell/state.js";
import { toast } from "../shell/toast.js";

const PAGE = 5;

let box = null;
let device = null;
let found = { items: [], next: null };
let changed = () => {};

const address = (name) => `/api/v1/devices/${encodeURIComponent(name)}/hand-readings`;

// `redraw`: something was entered, or is known now.
export function startHand(element, shown, redraw) {
  [box, device, changed] = [element, shown, redraw];
  found = { items: [], next: null };
  box.hidden = true;
  more(`${address(shown.name)}?limit=${PAGE}`);
}

// Who entered the reading of an instant; undefined: nobody did, or it is older than what is shown.
export const handAt = (observed) => found.items.find(({ observed_at: at }) => Date.parse(at) === Date.parse(observed));

// Those of a span, for charts.
export async function handBetween(name, { start, end }) {
  const query = new URLSearchParams({ start: new Date(start).toISOString(), end: new Date(end).toISOString(), limit: "100" });
  const { items } = await get(`${address(name)}?${query}`);
  return items.map((one) => ({ at: Date.parse(one.observed_at), values: one.measurements, label: byWords(one) }));
}

// A reading was accepted: it may be one of these.
export function hearHand() {
  if (device) more(`${address(device.name)}?limit=${PAGE}`);
}

async function more(url) {
  const shown = device;
  try {
    const { items, next } = await get(url);
    if (device !== shown) return;
    const known = new Set(items.map(({ id }) => id));
    const all = [...found.items.filter(({ id }) => !known.has(id)), ...items].sort((a, b) => Date.parse(b.observed_at) - Date.parse(a.observed_at));
    const before = found.items.length;
    found = { items: all, next: before && !url.includes("before=") ? found.next : next };
    fill();
    if (all.length !== before) changed();
  } catch (error) {
    found.failed = reasonOf(error);
    fill();
  }
}

function fill() {
  box.hidden = !found.items.length && !found.failed;
  box.replaceChildren(h("section", { class: "padded" }, h("h2", {}, t("hand_readings")),
    h("ol", { class: "life hand-readings" }, found.items.map(row)),
    found.failed && h("p", { class: "problem", role: "alert" }, t("failed", { reason: found.failed })),
    found.next && h("button", { type: "button", class: "quiet", onclick: (event) => ((event.target.disabled = true), more(found.next)) }, t("show_more"))));
}

const row = (one) => h("li", {},
  h("time", { datetime: one.observed_at }, full(new Date(one.observed_at))), h("span", {}, handWords(state.kinds.get(device.kind), one.measurements)),
  one.note && h("q", { dir: "auto" }, one.note), h("small", {}, byWords(one)));

const byWords = ({ author }) => (author ? t("entered_by", { name: `\u2068${author}\u2069` }) : t("entered_by_hand"));

export function enterReading(shown) {
  const form = readingForm(state.kinds.get(shown.kind), state.latest.get(shown.name) ?? null, now);
  let at = null;
  openDialog({
    title: t("enter_reading"),
    body: form.element,
    label: t("send"),
    async submit() {
      const body = form.read();
      // Sent again after a failure, it is the same reading.
      at = body.observed_at ?? at ?? new Date(now()).toISOString();
      try {
        await post(address(shown.name), { ...body, observed_at: at });
      } catch (error) {
        const [fallen] = error.errors ?? [];
        if (error.confirm === "reset") form.fell(fallen.pointer.split("/").at(-1), fallen.last);
        throw error;
      }
      toast(t("reading_stored"));
      hearHand();
    },
  });
}
