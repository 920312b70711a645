// When people work on devices, once or again and again; and the silences that are in force.

import { action } from "../../shell/action.js";
import { deviceLink } from "../../shell/address.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { checkbox, field, select } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { post } from "../../shell/http.js";
import { number, numerals, t } from "../../shell/i18n.js";
import { toast } from "../../shell/toast.js";
import { at, card, filled, fromLocal, listed, note, tag, townName, townOptions, zoneOf, zoneOfDevice } from "../blocks.js";
import { again } from "../stage.js";
import { dayName } from "../week.js";

const IS = { running: "ok", active: "ok", planned: "warning", coming: "warning" };
const placeOf = (one) => (one.device ? deviceLink(one.device, { class: "plain-link" }, bdi(one.device)) : one.municipality ? bdi(townName(one.municipality)) : t("all_towns"));
const ended = (url) => async () => {
  await post(url);
  await again();
  toast(t("ended"));
};

export async function show(root) {
  const [windows, plans, silences] = await Promise.all([windowList(), planList(), silenceList()]);
  root.append(
    card(t("windows"), [h("button", { type: "button", class: "primary", "data-focus": "plan", onclick: planWindow }, t("window_add"))], windows),
    card(t("plans"), [h("button", { type: "button", onclick: planAgain }, t("plan_add"))], plans),
    card(t("silences"), null, silences));
}

const windowList = () => listed("/api/v1/maintenance", [
  { title: t("where"), cell: placeOf },
  { title: t("from"), cell: (one) => at(one.from_at, one.time_zone) },
  { title: t("until"), cell: (one) => at(one.until_at, one.time_zone) },
  { title: t("reason"), cell: (one) => bdi(one.reason || "–") },
  { title: t("said_by"), cell: (one) => (one.plan ? t("by_plan", { n: one.plan }) : bdi(one.author ?? "–")) },
  { title: t("state"), cell: (one) => tag(t(`spell_${one.state}`), IS[one.state]) },
  { title: "", cell: (one) => action(t("end"), ended(`/api/v1/maintenance/${one.id}/end`), { class: "quiet" }) },
], { empty: t("windows_empty"), caption: t("windows") });

const planList = () => listed("/api/v1/maintenance-plans", [
  { title: t("where"), cell: placeOf },
  { title: t("day"), cell: (one) => (one.every === "week" ? one.days.map((day) => dayName(day)).join(" · ") : t("on_days_of_month", { days: one.days.map((day) => number(day, 0)).join(", ") })) },
  { title: t("at"), cell: (one) => bdi(numerals(`${one.from_time} – ${one.until_time}`)) },
  { title: t("next_time"), cell: (one) => at(one.next_from_at, one.time_zone) },
  { title: t("reason"), cell: (one) => bdi(one.reason || "–") },
  { title: "", cell: (one) => action(t("end"), ended(`/api/v1/maintenance-plans/${one.id}/end`), { class: "quiet" }) },
], { empty: t("plans_empty"), caption: t("plans") });

const silenceList = () => listed("/api/v1/silences", [
  { title: t("where"), cell: placeOf },
  { title: t("which_alerts"), cell: (one) => bdi([one.rule, one.kind, one.district, one.attribute && `${one.attribute.name} = ${one.attribute.value}`].filter(Boolean).join(" · ") || "–") },
  { title: t("from"), cell: (one) => at(one.from_at, zoneOf(one.municipality)) },
  { title: t("until"), cell: (one) => at(one.until_at, zoneOf(one.municipality)) },
  { title: t("reason"), cell: (one) => bdi(one.reason || "–") },
  { title: t("said_by"), cell: (one) => bdi(one.author ?? "–") },
  { title: t("state"), cell: (one) => tag(t(`spell_${one.state}`), IS[one.state]) },
  ...(may("silence-alerts") ? [{ title: "", cell: (one) => action(t("end"), ended(`/api/v1/silences/${one.id}/end`), { class: "quiet" }) }] : []),
], { empty: t("silences_empty"), caption: t("silences") });

const where = () => h("div", { class: "fields" },
  field(t("device"), h("input", { name: "device", dir: "ltr", maxlength: 64 }), t("device_or_town")),
  field(t("municipality"), select({ name: "town" }, townOptions("–"))));
const placeSaid = (values) => (filled(values.device) ? { device: filled(values.device) } : { municipality: filled(values.town) });
const why = () => field(t("reason"), h("input", { name: "reason", required: true, maxlength: 200 }));

function planWindow() {
  openDialog({
    title: t("window_add"), label: t("add"), wide: true,
    body: [note(t("window_how")), where(), h("div", { class: "fields" },
      field(t("from"), h("input", { name: "from", type: "datetime-local" }), t("at_hint")),
      field(t("until"), h("input", { name: "until", type: "datetime-local", required: true }))), why()],
    async submit(values) {
      const there = placeSaid(values);
      const zone = there.device ? await zoneOfDevice(there.device) : zoneOf(there.municipality);
      await post("/api/v1/maintenance", { ...there, ...(values.from ? { from_at: fromLocal(values.from, zone) } : {}), until_at: fromLocal(values.until, zone), reason: values.reason.trim() });
      await again();
    },
  });
}

function planAgain() {
  const week = h("fieldset", { class: "group columns" }, h("legend", {}, t("day")), [1, 2, 3, 4, 5, 6, 7].map((day) => checkbox({ name: "weekday", value: day }, dayName(day))));
  const month = field(t("days_of_month"), h("input", { name: "monthdays", dir: "ltr", placeholder: "1, 15" }));
  month.hidden = true;
  const every = select({ name: "every", onchange: () => ((week.hidden = every.value !== "week"), (month.hidden = every.value !== "month")) }, [["week", t("every_week")], ["month", t("every_month")]]);
  openDialog({
    title: t("plan_add"), label: t("add"), wide: true,
    body: [note(t("plan_how")), where(), field(t("comes"), every), week, month, h("div", { class: "fields" },
      field(t("from"), h("input", { name: "from", type: "time", required: true })),
      field(t("until"), h("input", { name: "until", type: "time", required: true })),
      field(t("last_day"), h("input", { name: "last", type: "date" }), t("optional"))), why()],
    async submit(values, form) {
      const days = values.every === "week" ? [...form.querySelectorAll("[name=weekday]:checked")].map((one) => Number(one.value)) : values.monthdays.split(/[ ,]+/).filter(Boolean).map(Number);
      await post("/api/v1/maintenance-plans", {
        ...placeSaid(values), every: values.every, days, from_time: values.from, until_time: values.until, reason: values.reason.trim(), ...(values.last ? { until_date: values.last } : {}),
      });
      await again();
    },
  });
}
