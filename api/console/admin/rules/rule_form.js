// A form for the usual rules: a limit, a rate, silence, a geofence. It writes the text that is judged and applied.

import { h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { language, languages, said, t } from "../../shell/i18n.js";
import { SEVERITIES, state } from "../../shell/state.js";
import { filled, kindOptions, numeric } from "../blocks.js";
import { definitionOf, toYaml } from "./rule_text.js";

const TEMPLATES = ["limit", "rate", "silence", "geofence"];

// What a rule says in each language is taken from that language's own texts.
async function sentences() {
  const pages = await Promise.all(languages().map(({ code }) => fetch("/console/texts/admin.json", { headers: { "Accept-Language": code } }).then((answer) => answer.json())));
  return Object.fromEntries(pages.map((page) => [page.language, page]));
}

// A sentence in the reader's language comes from where all texts do, the others from their own.
const sentence = (own, template, values) => (own.language === language() ? t(`rule_says_${template}`, values)
  : own.texts[`rule_says_${template}`].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? ""));

export async function ruleForm(write) {
  const texts = await sentences();
  const form = h("form", { class: "form", oninput: changed, onchange: changed, onsubmit: (event) => event.preventDefault() });
  const option = (name, options, chosen) => select({ name }, options, chosen);
  const severities = SEVERITIES.map((one) => [one, t(`severity_${one}`)]);
  const measurements = h("select", { name: "measurement" });
  const number = (name, attributes) => h("input", { name, type: "number", step: "any", dir: "ltr", ...attributes });
  const only = (templates, element) => ((element.dataset.for = templates), element);
  form.append(h("div", { class: "fields" },
    field(t("template"), option("template", TEMPLATES.map((one) => [one, t(`template_${one}`)]))),
    field(t("rule_id"), h("input", { name: "id", dir: "ltr", maxlength: 63, pattern: "[a-z0-9\\-]+", required: true }), t("short_name_hint")),
    field(t("kind"), option("kind", kindOptions())),
    only("limit rate", field(t("measurement"), measurements)),
    only("limit rate", field(t("sign"), option("sign", [[">=", t("sign_above")], ["<=", t("sign_below")]]))),
    only("limit rate", field(t("limit_first"), number("limit", { required: true }))),
    field(t("severity"), option("severity", severities, "major")),
    only("limit rate", field(t("limit_second"), number("limit2"), t("optional"))),
    only("limit rate", field(t("severity_second"), option("severity2", severities, "critical"))),
    only("limit rate", field(t("limit_clear"), number("clear"), t("clear_hint"))),
    only("limit geofence", field(t("limit_attribute"), h("input", { name: "attribute", dir: "ltr", maxlength: 63 }), t("limit_attribute_hint"))),
    only("rate", field(t("rate_window"), option("window", [["1m", t("per_minute")], ["1h", t("per_hour")]], "1h"))),
    only("limit rate geofence", field(t("hold"), h("input", { name: "hold", dir: "ltr", value: "2 readings", maxlength: 30 }), t("hold_hint"))),
    only("silence", field(t("missing"), number("missing", { value: 4, min: 1 }), t("missing_hint"))),
    only("silence", field(t("at_least"), h("input", { name: "atLeast", dir: "ltr", value: "1h", maxlength: 20 }), t("at_least_hint"))),
    field(t("route_word"), h("input", { name: "route", dir: "ltr", maxlength: 63 }), t("optional"))));

  function fillMeasurements() {
    const kind = state.kinds.get(form.elements.kind.value);
    const known = (kind?.measurements ?? []).filter((one) => one.type === "number");
    measurements.replaceChildren(...known.map((one) => h("option", { value: one.name }, `${said(one.label, one.name)} (${one.name})`)));
  }
  function changed(event) {
    if (event?.target?.name === "kind") fillMeasurements();
    const values = Object.fromEntries(new FormData(form));
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(values.template);
    if (values.id && (values.template === "silence" || values.template === "geofence" || values.limit !== "")) write(toYaml(definitionOf(formSaid(values))));
  }
  function formSaid(values) {
    const kind = state.kinds.get(values.kind);
    const measured = kind?.measurements.find((one) => one.name === values.measurement);
    const levels = [[values.severity, numeric(values.limit)], ...(filled(values.limit2) ? [[values.severity2, numeric(values.limit2)]] : [])];
    const summary = Object.fromEntries(Object.entries(texts).map(([code, own]) => [code, sentence(own, values.template, {
      kind: kind?.title[code] ?? values.kind, measured: measured?.label?.[code] ?? values.measurement, value: `{${values.measurement}:.1f}`, id: "{device}",
    })]));
    return {
      template: values.template, id: values.id.trim(), kind: values.kind, measurement: values.measurement, sign: values.sign, levels, clear: numeric(values.clear),
      attribute: filled(values.attribute), hold: filled(values.hold), window: values.window, missing: numeric(values.missing) ?? 4, atLeast: filled(values.atLeast),
      severity: values.severity, summary, route: filled(values.route),
    };
  }
  fillMeasurements();
  changed();
  return form;
}
