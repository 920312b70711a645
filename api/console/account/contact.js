// How I am told of alerts: addresses by channel, steps, quiet hours, language.

import { action } from "../shell/action.js";
import { h } from "../shell/dom.js";
import { field, select } from "../shell/forms.js";
import { get, patch } from "../shell/http.js";
import { languages, t } from "../shell/i18n.js";
import { toast } from "../shell/toast.js";

// What people may say of themselves; others are set by an administrator and only shown. Browsers subscribe to push by themselves.
const OWN = ["email", "sms", "ntfy", "telegram", "apprise"];
const BELOW = ["minor", "major", "critical"];

const asText = (value) => (Array.isArray(value) ? value.join(", ") : value ?? "");
function asValue(text) {
  const parts = text.split(",").map((part) => part.trim()).filter(Boolean);
  return parts.length > 1 ? parts : parts[0];
}

export async function contactCard() {
  const contact = await get("/api/v1/session/contact");
  const form = h("form", { class: "form padded", onsubmit: (event) => event.preventDefault() });
  const steps = h("div", { class: "rows-of" }, contact.steps.map(stepRow));
  const quiet = h("div", { class: "rows-of" }, contact.quiet_hours.map(quietRow));
  form.append(
    field(t("contact_language"), select({ name: "language" }, languages().map(({ code, name }) => [code, name]), contact.language)),
    h("div", { class: "fields" }, OWN.map((channel) =>
      field(t(`channel_${channel}`), h("input", { name: channel, dir: "ltr", value: asText(contact.channels[channel]), placeholder: { email: contact.email, sms: contact.phone }[channel] ?? "", autocomplete: "off" }), t(`channel_hint_${channel}`)))),
    h("fieldset", { class: "group" }, h("legend", {}, t("steps")), h("p", { class: "hint" }, t("steps_how")), steps,
      h("button", { type: "button", onclick: () => steps.append(stepRow({ channel: "sms", after_s: 300 })) }, t("add"))),
    h("fieldset", { class: "group" }, h("legend", {}, t("quiet_hours")), h("p", { class: "hint" }, t("quiet_how")), quiet,
      h("button", { type: "button", onclick: () => quiet.append(quietRow({ from: "22:00", until: "06:00", below: "major" })) }, t("add"))),
    action(t("save"), async () => {
      await patch("/api/v1/session/contact", said(form, contact));
      toast(t("saved"));
    }, { class: "primary" }));
  return h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, t("contact"))), form);
}

const drop = (row) => h("button", { type: "button", class: "quiet", "aria-label": t("delete"), onclick: () => row().remove() }, "✕");

function stepRow(step) {
  const row = h("div", { class: "row-of", "data-row": "step" },
    select({ "aria-label": t("channel") }, [...new Set([...OWN, "web-push", step.channel])].map((one) => [one, t(`channel_${one.replace("-", "_")}`)]), step.channel),
    h("input", { type: "number", min: 0, max: 1440, step: "any", value: step.after_s / 60, "aria-label": t("after_minutes") }),
    h("span", {}, t("after_minutes")), drop(() => row));
  return row;
}

function quietRow(span) {
  const row = h("div", { class: "row-of", "data-row": "quiet" },
    h("input", { type: "time", value: span.from, "aria-label": t("from") }),
    h("input", { type: "time", value: span.until, "aria-label": t("until") }),
    select({ "aria-label": t("quiet_below") }, BELOW.map((one) => [one, t("below", { severity: t(`severity_${one}`) })]), span.below), drop(() => row));
  return row;
}

function said(form, contact) {
  const channels = { ...contact.channels };
  for (const channel of OWN) {
    const value = asValue(form.elements[channel].value);
    if (value) channels[channel] = value;
    else delete channels[channel];
  }
  const parts = (kind) => [...form.querySelectorAll(`[data-row=${kind}]`)].map((row) => [...row.querySelectorAll("select, input")].map((one) => one.value));
  return {
    language: form.elements.language.value,
    channels,
    steps: parts("step").map(([channel, minutes]) => ({ channel, after_s: Number(minutes) * 60 })),
    quiet_hours: parts("quiet").map(([from, until, below]) => ({ from, until, below })),
  };
}
