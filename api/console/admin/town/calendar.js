// When people of a municipality work, and how soon their work is due.

import { action, reasonOf } from "../../shell/action.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { checkbox, field, select } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { get, put, remove } from "../../shell/http.js";
import { language, number, numerals, said, t } from "../../shell/i18n.js";
import { SEVERITIES, state } from "../../shell/state.js";
import { table } from "../../shell/tables.js";
import { toast } from "../../shell/toast.js";
import { card, facts, filled, kindOptions, note, padded, tag } from "../blocks.js";
import { again } from "../stage.js";
import { WEEKDAYS, dayName, dayText } from "../week.js";

const DAYS_SHOWN = 12;
const urlOf = (town, rest = "") => `/api/v1/municipalities/${town.name}/calendar${rest}`;

export async function calendarCard(town) {
  const [calendar, byRule] = await Promise.all([get(`${urlOf(town)}?language=${language()}`), get(`/api/v1/municipalities/${town.name}/work-by-rule`)]);
  const mine = may("set-deadlines");
  return card(t("calendar"), mine && [
    h("button", { type: "button", "data-focus": "hours", onclick: () => editHours(town, calendar) }, t("hours_edit")),
    h("button", { type: "button", onclick: () => editDay(town) }, t("day_add")),
    h("button", { type: "button", onclick: () => editRamadan(town, calendar.ramadan[0]) }, t("ramadan_set")),
  ], padded(
    facts([
      ...WEEKDAYS.map((day, i) => [dayName(i + 1), hoursText(calendar.hours[day])]),
      [t("ramadan_hours"), calendar.ramadan_hours ? hoursText(calendar.ramadan_hours) : t("ramadan_same")],
    ]),
    calendar.default_hours && note(t("hours_default")),
    mine && checkbox({ checked: byRule.on, onchange: (event) => switchByRule(town, event.target) }, t("work_by_rule"))),
  daysTable(town, calendar, mine), ramadanTable(town, calendar, mine));
}

const hoursText = (hours) => (!hours || hours === "rest" ? t("rest") : bdi(numerals(hours.replaceAll("-", " – ").replaceAll(",", " · "))));

function daysTable(town, calendar, mine) {
  const box = h("div", {});
  const draw = (most) => box.replaceChildren(table([
    { title: t("day"), cell: (one) => dayText(one.day) },
    { title: t("name"), cell: (one) => bdi(one.name || "–") },
    { title: t("state"), cell: (one) => tag(t(one.working ? "working" : "rest"), one.working ? "ok" : "none") },
    { title: t("said_by"), cell: (one) => t(one.by_hand ? "by_hand" : "public_day") },
    ...(mine ? [{ title: "", cell: (one) => (one.by_hand
      ? action(t("undo"), async () => (await remove(urlOf(town, `/days/${one.day}`)), again()), { class: "quiet" })
      : action(t(one.working ? "make_rest" : "make_working"), async () => (await put(urlOf(town, `/days/${one.day}`), { working: !one.working, name: one.name }), again()), { class: "quiet" })) }] : []),
  ], calendar.days.slice(0, most), { empty: t("days_empty"), caption: t("days_special") }),
  calendar.days.length > most ? h("button", { type: "button", class: "more", onclick: () => draw(most + 50) }, t("show_more")) : "");
  draw(DAYS_SHOWN);
  return box;
}

const ramadanTable = (town, calendar, mine) => table([
  { title: t("ramadan"), cell: (one) => numerals(String(one.year)) },
  { title: t("first_day"), cell: (one) => dayText(one.first) },
  { title: t("last_day"), cell: (one) => dayText(one.last) },
  { title: t("said_by"), cell: (one) => t(one.by_hand ? "by_hand" : "umm_al_qura") },
  ...(mine ? [{ title: "", cell: (one) => h("span", { class: "actions-row" },
    h("button", { type: "button", class: "quiet", onclick: () => editRamadan(town, one) }, t("edit")),
    one.by_hand && action(t("undo"), async () => (await remove(urlOf(town, `/ramadan/${one.year}`)), again()), { class: "quiet" })) }] : []),
], calendar.ramadan, { empty: "–", caption: t("ramadan") });

function editHours(town, calendar) {
  openDialog({
    title: t("hours_edit"), wide: true,
    body: [
      note(t("hours_how")),
      h("div", { class: "week" }, WEEKDAYS.flatMap((day, i) => [
        h("label", { for: `hours-${day}` }, dayName(i + 1)),
        h("input", { id: `hours-${day}`, name: day, dir: "ltr", placeholder: t("rest"), value: calendar.hours[day] === "rest" ? "" : calendar.hours[day] ?? "" })])),
      field(t("ramadan_hours"), h("input", { name: "ramadan", dir: "ltr", placeholder: t("ramadan_same"), value: calendar.ramadan_hours ?? "" })),
    ],
    async submit(values) {
      const hours = Object.fromEntries(WEEKDAYS.map((day) => [day, values[day].replaceAll(" ", "")]).filter(([, text]) => text));
      await put(urlOf(town), { hours, ramadan_hours: filled(values.ramadan) ?? "same" });
      await again();
      toast(t("saved"));
    },
  });
}

function editDay(town) {
  openDialog({
    title: t("day_add"), label: t("add"),
    body: [
      field(t("day"), h("input", { name: "day", type: "date", required: true })),
      field(t("name"), h("input", { name: "name", maxlength: 100 })),
      field(t("state"), select({ name: "working" }, [["", t("rest")], ["yes", t("working")]])),
    ],
    async submit({ day, name, working }) {
      await put(urlOf(town, `/days/${day}`), { working: Boolean(working), name: name.trim() });
      await again();
    },
  });
}

function editRamadan(town, one) {
  openDialog({
    title: t("ramadan_set"),
    body: [note(t("ramadan_how")), h("div", { class: "fields" },
      field(t("hijri_year"), h("input", { name: "year", type: "number", min: 1343, max: 1500, required: true, value: one?.year })),
      field(t("first_day"), h("input", { name: "first", type: "date", required: true, value: one?.first })),
      field(t("last_day"), h("input", { name: "last", type: "date", required: true, value: one?.last })))],
    async submit({ year, first, last }) {
      await put(urlOf(town, `/ramadan/${year}`), { first, last });
      await again();
    },
  });
}

async function switchByRule(town, box) {
  try {
    await put(`/api/v1/municipalities/${town.name}/work-by-rule`, { on: box.checked });
    toast(t("saved"));
  } catch (error) {
    box.checked = !box.checked;
    toast(reasonOf(error), { failed: true });
  }
}

export async function targetsCard(town) {
  const { items } = await get(`/api/v1/sla?municipality=${town.name}`);
  const mine = may("set-deadlines");
  const hours = (seconds) => t("hours_n", { n: number(seconds / 3600, 2) });
  return card(t("targets"), mine && [h("button", { type: "button", onclick: () => editTarget(town) }, t("target_set"))], table([
    { title: t("severity"), cell: (one) => tag(t(`severity_${one.severity}`), one.severity) },
    { title: t("kind"), cell: (one) => (one.kind ? bdi(said(state.kinds.get(one.kind)?.title, one.kind)) : t("kind_all")) },
    { title: t("where"), cell: (one) => (one.default ? t("by_default") : one.municipality ? bdi(one.municipality) : t("all_towns")) },
    { title: t("accepted_within"), cell: (one) => hours(one.response_s) },
    { title: t("done_within"), cell: (one) => hours(one.repair_s) },
    { title: t("counts"), cell: (one) => t(one.around_the_clock ? "around_the_clock" : "working_hours") },
    ...(mine ? [{ title: "", cell: (one) => h("span", { class: "actions-row" },
      h("button", { type: "button", class: "quiet", onclick: () => editTarget(town, one) }, t("edit")),
      one.municipality === town.name && action(t("delete"), () => dropTarget(town, one), { class: "quiet" })) }] : []),
  ], items, { empty: "–", caption: t("targets") }));
}

function editTarget(town, one = {}) {
  openDialog({
    title: t("target_set"), wide: true,
    body: h("div", { class: "fields" },
      field(t("severity"), select({ name: "severity" }, SEVERITIES.map((s) => [s, t(`severity_${s}`)]), one.severity)),
      field(t("kind"), select({ name: "kind" }, kindOptions(t("kind_all")), one.kind ?? "")),
      field(t("accepted_within_h"), h("input", { name: "response", type: "number", min: 0.1, step: "any", required: true, value: one.response_s && one.response_s / 3600 })),
      field(t("done_within_h"), h("input", { name: "repair", type: "number", min: 0.1, step: "any", required: true, value: one.repair_s && one.repair_s / 3600 })),
      field(t("counts"), select({ name: "clock" }, [["", t("working_hours")], ["all", t("around_the_clock")]], one.around_the_clock ? "all" : ""))),
    async submit(values) {
      await put("/api/v1/sla", {
        severity: values.severity, municipality: town.name, kind: filled(values.kind),
        response_s: Number(values.response) * 3600, repair_s: Number(values.repair) * 3600, around_the_clock: Boolean(values.clock),
      });
      await again();
    },
  });
}

async function dropTarget(town, one) {
  await remove(`/api/v1/sla?severity=${one.severity}&municipality=${town.name}${one.kind ? `&kind=${one.kind}` : ""}`);
  await again();
}
