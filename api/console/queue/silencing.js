// A window that silences: what, until when, and why. Alerts go on as always; nobody is told of them.

import { bdi, h } from "../shell/dom.js";
import { report } from "../shell/frame.js";
import { field } from "../shell/forms.js";
import { post } from "../shell/http.js";
import { full, said, t } from "../shell/i18n.js";
import { now, state } from "../shell/state.js";
import { done } from "./acts.js";
import { reload } from "./list.js";
import { fromLocalText, localText, nextMorning } from "./moments.js";

const HOUR_MS = 3_600_000;

export function openSilencing(openDialog, alert) {
  const zone = state.towns.get(alert.municipality)?.time_zone ?? "UTC";
  const own = h("input", { type: "datetime-local", name: "date", "aria-label": t("silence_until_date"), value: localText(now() + 24 * HOUR_MS, zone) });
  own.addEventListener("input", () => (form.querySelector("[value=date]").checked = true));
  const form = h("div", { class: "form" },
    h("fieldset", { class: "choices" }, h("legend", {}, t("silence_what")), scopes(alert).map(([value, text], i) => radio("scope", value, text, i === 0))),
    h("fieldset", { class: "choices" }, h("legend", {}, t("silence_until")),
      radio("until", "hour", t("silence_hour"), true),
      radio("until", "morning", [t("silence_morning"), " ", h("small", {}, full(new Date(nextMorning(now(), zone))))]),
      radio("until", "date", [t("silence_until_date"), " ", own])),
    field(t("silence_why"), h("input", { name: "reason", required: true, autofocus: true, maxlength: 500 })),
    h("small", {}, t("silence_how")));
  openDialog({ title: t("silence_title"), body: form, label: t("silence"), submit: (chosen) => silence(alert, chosen, zone) });
}

const radio = (name, value, text, checked) => h("label", { class: "choice" }, h("input", { type: "radio", name, value, checked }), h("span", {}, text));

function scopes(alert) {
  const kind = state.kinds.get(alert.kind);
  return [
    ["device", [t("silence_device"), " ", bdi(alert.device_title)]],
    ["rule", [t("silence_rule"), " ", bdi(alert.rule)]],
    kind && ["kind", [t("silence_kind"), " ", said(kind.title, alert.kind)]],
    alert.district && ["district", [t("silence_district"), " ", said(alert.district_title, alert.district)]],
  ].filter(Boolean);
}

async function silence(alert, { scope, until, date, reason }, zone) {
  const end = { hour: now() + HOUR_MS, morning: nextMorning(now(), zone), date: fromLocalText(date, zone) }[until];
  const what = scope === "device" ? { device: alert.device } : { municipality: alert.municipality, [scope]: alert[scope] };
  const made = await post("/api/v1/silences", { ...what, until_at: new Date(end).toISOString(), reason });
  done(t("silenced_till", { until: full(new Date(made.until_at)) }), () => post(`/api/v1/silences/${made.id}/end`));
  reload().catch(report);
}
