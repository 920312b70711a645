// A window that silences: what, until when, and why. Alerts go on as always; nobody is told of them.

import { bdi, h } from "../shell/dom.js";
import { field } from "../shell/forms.js";
import { report } from "../shell/frame.js";
import { post } from "../shell/http.js";
import { deviceTitle, full, said, t, tn } from "../shell/i18n.js";
import { fromLocalText, localText, nextMorning } from "../shell/moments.js";
import { now, state } from "../shell/state.js";
import { done, eachMade } from "./acts.js";
import { reload } from "./list.js";

const HOUR_MS = 3_600_000;

export function openSilencing(openDialog, alerts) {
  const zone = zoneOf(alerts[0]);
  const own = h("input", { type: "datetime-local", name: "date", "aria-label": t("silence_until_date"), value: localText(now() + 24 * HOUR_MS, zone) });
  own.addEventListener("input", () => (form.querySelector("[value=date]").checked = true));
  const form = h("div", { class: "form" },
    h("fieldset", { class: "choices" }, h("legend", {}, t("silence_what")), scopes(alerts).map(([value, text], i) => radio("scope", value, text, i === 0))),
    h("fieldset", { class: "choices" }, h("legend", {}, t("silence_until")),
      radio("until", "hour", t("silence_hour"), true),
      radio("until", "morning", [t("silence_morning"), " ", h("small", {}, full(new Date(nextMorning(now(), zone)), zone))]),
      radio("until", "date", [t("silence_until_date"), " ", own])),
    field(t("silence_why"), h("input", { name: "reason", required: true, autofocus: true, maxlength: 500 })),
    h("small", {}, t("silence_how")));
  openDialog({ title: t("silence_title"), body: form, label: t("silence"), submit: (chosen) => silence(alerts, chosen) });
}

const radio = (name, value, text, checked) => h("label", { class: "choice" }, h("input", { type: "radio", name, value, checked }), h("span", {}, text));

// Morning and dates are by the clocks of the town that is silenced.
const zoneOf = ({ municipality }) => state.towns.get(municipality)?.time_zone ?? "UTC";

const devicesOf = (alerts) => [...new Map(alerts.map((alert) => [alert.device, alert])).values()];

// The devices of all that were chosen, or what these have in common.
function scopes(alerts) {
  const [alert] = alerts;
  const common = (name) => alert[name] && alerts.every((one) => one[name] === alert[name] && one.municipality === alert.municipality);
  const kind = state.kinds.get(alert.kind);
  const devices = devicesOf(alerts);
  return [
    ["device", devices.length > 1 ? tn("silence_devices", devices.length) : [t("silence_device"), " ", bdi(deviceTitle(alert))]],
    common("rule") && ["rule", [t("silence_rule"), " ", bdi(alert.rule)]],
    kind && common("kind") && ["kind", [t("silence_kind"), " ", said(kind.title, alert.kind)]],
    common("district") && ["district", [t("silence_district"), " ", said(alert.district_title, alert.district)]],
  ].filter(Boolean);
}

async function silence(alerts, { scope, until, date, reason }) {
  const endIn = (zone) => ({ hour: now() + HOUR_MS, morning: nextMorning(now(), zone), date: fromLocalText(date, zone) })[until];
  const [first] = alerts;
  const whatOf = (alert) => (scope === "device" ? { device: alert.device } : { municipality: alert.municipality, [scope]: alert[scope] });
  const made = await eachMade(scope === "device" ? devicesOf(alerts) : [first],
    (alert) => post("/api/v1/silences", { ...whatOf(alert), until_at: new Date(endIn(zoneOf(alert))).toISOString(), reason }),
    (one) => post(`/api/v1/silences/${one.id}/end`));
  done(t("silenced_till", { until: full(new Date(made.things[0].until_at), zoneOf(first)) }), made.back);
  reload().catch(report);
}
