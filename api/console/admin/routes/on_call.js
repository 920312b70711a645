// On-call schedules: who is on call this week, who stands in, and the turns.

import { action } from "../../shell/action.js";
import { go, moveLink } from "../../shell/address.js";
import { confirmed, openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { get, patch, post, remove } from "../../shell/http.js";
import { said, t, time } from "../../shell/i18n.js";
import { beginOf, dayOf } from "../../shell/moments.js";
import { now } from "../../shell/state.js";
import { table } from "../../shell/tables.js";
import { titleFields, titleSaid } from "../../shell/titles.js";
import { toast } from "../../shell/toast.js";
import { at, card, facts, filled, fromLocal, listed, note, padded, townName, townOptions, zoneOf } from "../blocks.js";
import { again } from "../stage.js";
import { dayText } from "../week.js";

const DAYS = 7;
const DAY_MS = 86_400_000;
// By whose clocks turns change.
const clockOf = (schedule) => schedule?.time_zone ?? zoneOf(schedule?.municipality);
const pathOf = (name, rest = "") => `/api/v1/on-call/${encodeURIComponent(name)}${rest}`;

export async function show(root, name) {
  root.append(...(name ? await oneSchedule(name) : [await allSchedules()]));
}

async function allSchedules() {
  const list = await listed("/api/v1/on-call", [
    { title: t("name"), cell: (one) => moveLink({ name: one.name }, { class: "plain-link" }, bdi(said(one.title, one.name))) },
    { title: t("short_name"), cell: (one) => bdi(one.name) },
    { title: t("municipality"), cell: (one) => (one.municipality ? bdi(townName(one.municipality)) : t("all_towns")) },
    { title: t("members"), cell: (one) => bdi([...new Set(one.layers.flatMap((layer) => layer.people))].join(", ")) },
  ], { empty: t("on_call_empty"), caption: t("part_on_call") });
  return card(t("part_on_call"), may("edit-routes") && [h("button", { type: "button", class: "primary", onclick: () => editSchedule(null) }, t("schedule_add"))], list);
}

async function oneSchedule(name) {
  const schedule = await get(pathOf(name));
  return [
    h("p", { class: "back" }, moveLink({ name: null }, { class: "plain-link" }, t("part_on_call"))),
    card(said(schedule.title, schedule.name), [
      may("plan-on-call") && h("button", { type: "button", class: "primary", "data-focus": "stand in", onclick: () => standIn(schedule) }, t("stand_in_add")),
      may("edit-routes") && h("button", { type: "button", onclick: () => editSchedule(schedule) }, t("edit")),
      h("a", { class: "plain-link", href: pathOf(name).concat(".ics"), download: `${name}.ics` }, t("calendar_file")),
      may("edit-routes") && h("button", { type: "button", class: "quiet", onclick: () => drop(schedule) }, t("delete")),
    ], padded(facts([
      [t("on_call_now"), schedule.on_call ? bdi(schedule.on_call) : h("span", { class: "problem" }, t("nobody"))],
      [t("municipality"), schedule.municipality ? bdi(townName(schedule.municipality)) : t("all_towns")],
      [t("time_zone"), schedule.time_zone && bdi(schedule.time_zone)],
    ])), week(schedule)),
    card(t("stand_ins"), null, table([
      { title: t("name"), cell: (one) => bdi(one.person) },
      { title: t("from"), cell: (one) => at(one.from_at, clockOf(schedule)) },
      { title: t("until"), cell: (one) => at(one.until_at, clockOf(schedule)) },
      { title: "", cell: (one) => may("plan-on-call") && action(t("delete"), async () => (await remove(pathOf(name, `/overrides/${one.id}`)), again()), { class: "quiet" }) },
    ], schedule.overrides, { empty: t("stand_ins_empty"), caption: t("stand_ins") })),
  ];
}

// The next seven days by the clocks of the schedule, each with who is on call in it and when.
function week(schedule) {
  const { shifts } = schedule;
  const clock = clockOf(schedule);
  const today = dayOf(now(), clock);
  return h("div", { class: "duty", tabindex: "0", role: "region", "aria-label": t("on_call_week") }, Array.from({ length: DAYS }, (_, i) => {
    const [day, next] = [i, i + 1].map((n) => new Date(Date.parse(`${today}T00:00Z`) + n * DAY_MS).toISOString().slice(0, 10));
    const [start, end] = [day, next].map((one) => new Date(beginOf(one, clock)));
    const within = shifts.filter((one) => new Date(one.from_at) < end && new Date(one.until_at) > start);
    return h("div", { class: !i && "today" }, h("h3", {}, dayText(day, { weekday: "long", day: "numeric", month: "short" })), within.map((one) => shift(one, start, end, clock)));
  }));
}

function shift(one, start, end, clock) {
  const from = new Date(Math.max(start, new Date(one.from_at)));
  const until = new Date(Math.min(end, new Date(one.until_at)));
  return h("div", { class: `shift${one.override ? " stands-in" : ""}${one.person ? "" : " nobody"}` },
    h("span", {}, one.person ? bdi(one.display_name || one.person) : t("nobody")),
    h("small", {}, from <= start && until >= end ? t("all_day") : bdi(`${time(from, clock)} – ${time(until, clock)}`)), one.override && h("small", {}, t("stands_in")));
}

function standIn(schedule) {
  const people = [...new Set(schedule.layers.flatMap((layer) => layer.people))];
  openDialog({
    title: t("stand_in_add"), label: t("add"),
    body: [
      field(t("signs_in_as"), h("input", { name: "person", dir: "ltr", required: true, maxlength: 63, list: "on-call-people" })),
      h("datalist", { id: "on-call-people" }, people.map((one) => h("option", { value: one }))),
      h("div", { class: "fields" },
        field(t("from"), h("input", { name: "from", type: "datetime-local", required: true })),
        field(t("until"), h("input", { name: "until", type: "datetime-local", required: true }))),
    ],
    async submit(values) {
      await post(pathOf(schedule.name, "/overrides"), { person: values.person.trim(), from_at: fromLocal(values.from, clockOf(schedule)), until_at: fromLocal(values.until, clockOf(schedule)) });
      await again();
    },
  });
}

// Layers as rows: people in turns, since when, how long a turn is, and in which hours.
function layerRow(clock, layer = {}) {
  const row = h("fieldset", { class: "group layer-row" }, h("legend", {}, t("turns")),
    field(t("turn_people"), h("input", { name: "people", dir: "ltr", required: true, value: (layer.people ?? []).join(", ") }), t("turn_people_hint")),
    h("div", { class: "fields" },
      field(t("first_day"), h("input", { name: "start", type: "date", required: true, value: layer.start ?? dayOf(now(), clock) })),
      field(t("turn_days"), h("input", { name: "turn_days", type: "number", min: 1, max: 366, required: true, value: layer.turn_days ?? 7 })),
      field(t("turn_handover"), h("input", { name: "handover", type: "time", required: true, value: layer.handover ?? "08:00" })),
      field(t("turn_hours"), h("input", { name: "hours", dir: "ltr", placeholder: "18:00-08:00", value: layer.hours ?? "" }), t("optional")),
      field(t("turn_on"), select({ name: "days" }, [["", t("every_day")], ["workdays", t("workdays")], ["weekend", t("weekend")]], typeof layer.days === "string" ? layer.days : ""))),
    h("button", { type: "button", class: "quiet", onclick: () => row.remove() }, t("delete")));
  // What the form cannot say of a layer stays as it is.
  row.kept = layer;
  return row;
}

const layersSaid = (form) => [...form.querySelectorAll(".layer-row")].map((row) => {
  const value = (name) => row.querySelector(`[name=${name}]`).value;
  const { hours, days, ...kept } = row.kept;
  const chosen = value("days") || (typeof days === "string" ? null : days);
  return {
    ...kept, people: value("people").split(",").map((one) => one.trim()).filter(Boolean), start: value("start"), turn_days: Number(value("turn_days")), handover: value("handover"),
    ...(filled(value("hours")) ? { hours: filled(value("hours")) } : {}), ...(chosen ? { days: chosen } : {}),
  };
});

function editSchedule(schedule) {
  const layers = h("div", { class: "files" }, (schedule?.layers ?? [undefined]).map((layer) => layerRow(clockOf(schedule), layer)));
  openDialog({
    title: schedule ? t("edit") : t("schedule_add"), wide: true, label: schedule ? t("save") : t("add"),
    body: [
      !schedule && h("div", { class: "fields" },
        field(t("short_name"), h("input", { name: "name", required: true, dir: "ltr", maxlength: 63, pattern: "[a-z0-9][a-z0-9._\\-]*" }), t("short_name_hint")),
        field(t("municipality"), select({ name: "town" }, townOptions(t("all_towns"))))),
      titleFields(schedule?.title),
      field(t("time_zone"), h("input", { name: "zone", dir: "ltr", maxlength: 64, value: schedule?.time_zone ?? "" }), t("zone_hint")),
      note(t("turns_how")), layers, h("button", { type: "button", onclick: () => layers.append(layerRow(clockOf(schedule))) }, t("turns_add")),
    ],
    async submit(values, form) {
      const body = { title: titleSaid(values), time_zone: filled(values.zone), layers: layersSaid(form) };
      if (schedule) await patch(pathOf(schedule.name), body, { "If-Match": `"${schedule.version}"` });
      else await post("/api/v1/on-call", { name: values.name.trim(), municipality: filled(values.town), ...body });
      if (schedule) await again();
      else go({ name: values.name.trim() });
      toast(t("saved"));
    },
  });
}

function drop(schedule) {
  confirmed(t("schedule_delete", { name: said(schedule.title, schedule.name) }), t("schedule_delete_how"), t("delete"), async () => {
    await remove(pathOf(schedule.name));
    go({ name: null });
  });
}
