// Whom alerts are told: the text of the routes, a question to it, and the channels.

import { action } from "../../shell/action.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { may, mayEverywhere } from "../../shell/frame.js";
import { get, post, sendText } from "../../shell/http.js";
import { language, number, t } from "../../shell/i18n.js";
import { SEVERITIES } from "../../shell/state.js";
import { table } from "../../shell/tables.js";
import { toast } from "../../shell/toast.js";
import { at, card, facts, filled, fromLocal, note, padded, since, tag, zoneOfDevice } from "../blocks.js";
import { textEditor } from "../editor.js";
import { again } from "../stage.js";

const KNOWN_CHANNELS = ["email", "ntfy", "telegram", "sms", "webhook", "mqtt", "push", "apprise"];
const channelName = (name) => (KNOWN_CHANNELS.includes(name) ? t(`channel_${name}`) : bdi(name));

export async function show(root) {
  const [routes, history] = await Promise.all([get("/api/v1/routes"), get("/api/v1/routes/history")]).catch(() => [null, null]);
  root.append(questionCard());
  if (routes) root.append(textCard(routes, history.items));
  root.append(await channelsCard());
}

// Nothing is sent by asking.
function questionCard() {
  const answer = h("div", { class: "files", "aria-live": "polite" });
  const form = h("form", { class: "form padded", onsubmit: (event) => event.preventDefault() },
    note(t("who_told_how")),
    h("div", { class: "fields" },
      field(t("device"), h("input", { name: "device", dir: "ltr", maxlength: 64, required: true })),
      field(t("severity"), select({ name: "severity" }, SEVERITIES.map((one) => [one, t(`severity_${one}`)]), "critical")),
      field(t("rule"), h("input", { name: "rule", dir: "ltr", maxlength: 200 }), t("optional")),
      field(t("at"), h("input", { name: "at", type: "datetime-local" }), t("at_hint"))),
    action(t("who_told_ask"), ask, { class: "primary" }), answer);
  async function ask() {
    const { device, severity, rule, at: when } = Object.fromEntries(new FormData(form));
    const found = await post("/api/v1/routes/test", { device: device.trim(), severity, rule: rule.trim(), at: when ? fromLocal(when, await zoneOfDevice(device.trim())) : null });
    answer.replaceChildren(...answered(found));
  }
  return card(t("who_told"), null, form);
}

const answered = (found) => [
  facts([[t("route"), bdi(found.route)], [t("repeats"), found.repeat_s ? t("every_minutes", { n: number(found.repeat_s / 60) }) : t("never")]]),
  table([
    { title: t("after"), cell: (one) => (one.after_s === null ? "–" : t("after_n_minutes", { n: number(one.after_s / 60) })) },
    { title: t("receiver"), cell: (one) => bdi(one.receiver) },
    { title: t("name"), cell: (one) => (one.person ? bdi(one.display_name || one.person) : h("span", { class: "problem" }, t("nobody"))) },
    { title: t("channel"), cell: (one) => (one.channel ? channelName(one.channel) : h("span", { class: "problem" }, t("no_channel"))) },
  ], found.told, { empty: t("nobody_told"), caption: t("who_told") }),
  found.not_set_up.length > 0 && h("p", { class: "problem" }, t("not_set_up", { channels: found.not_set_up.join(", ") })),
].filter(Boolean);

function textCard(routes, history) {
  const mine = mayEverywhere("edit-routes");
  const put = (text, dry) => sendText("PUT", `/api/v1/routes${dry ? "?dry_run=true" : ""}`, text, "application/yaml", { "If-Match": `"${routes.version}"` });
  const editor = textEditor({ label: t("routes_text"), text: routes.document, readonly: !mine, judge: mine ? async (text) => (await put(text, true), []) : async () => [] });
  return card(t("routes_text"), null, padded(
    editor.element,
    mine && h("div", { class: "actions-row" }, action(t("routes_apply"), async () => {
      await put(editor.text(), false);
      editor.done();
      await again();
      toast(t("routes_applied"));
    }, { class: "primary", "data-focus": "apply" })),
    facts([[t("version"), number(routes.version, 0)], [t("changed_by"), routes.author && bdi(routes.author)], [t("changed_at"), routes.applied_at && at(routes.applied_at)]])),
  history.length > 0 && table([
    { title: t("version"), number: true, cell: (one) => number(one.version, 0) },
    { title: t("changed_by"), cell: (one) => bdi(one.author || "–") },
    { title: t("at"), cell: (one) => at(one.applied_at) },
  ], [...history].reverse().slice(0, 20), { empty: "", caption: t("history") }));
}

async function channelsCard() {
  const { channels } = await get("/api/v1/notifications/channels").catch(() => ({ channels: [] }));
  return card(t("channels"), may("manage-people") && [h("button", { type: "button", onclick: () => trial("email") }, t("channel_test"))], table([
    { title: t("channel"), cell: (one) => channelName(one.channel) },
    { title: t("state"), cell: (one) => (one.failing_since ? [tag(t("channel_fails"), "critical"), " ", since(one.failing_since)] : tag(t("channel_works"), "ok")) },
    { title: t("answered"), cell: (one) => since(one.answered_at) },
    { title: t("answer"), cell: (one) => bdi(one.answer ?? "–") },
    { title: t("waiting"), number: true, cell: (one) => number(one.waiting, 0) },
    ...(may("manage-people") ? [{ title: "", cell: (one) => h("button", { type: "button", class: "quiet", onclick: () => trial(one.channel) }, t("channel_test")) }] : []),
  ], channels, { empty: t("channels_empty"), caption: t("channels") }));
}

function trial(channel) {
  openDialog({
    title: t("channel_test"), label: t("send"),
    body: [
      note(t("channel_test_how")),
      field(t("channel"), select({ name: "channel" }, KNOWN_CHANNELS.map((one) => [one, t(`channel_${one}`)]), channel)),
      field(t("send_to"), h("input", { name: "to", dir: "ltr", required: true, maxlength: 2000 })),
    ],
    async submit(values) {
      const { answer } = await post("/api/v1/notifications/test", { channel: values.channel, to: filled(values.to), language: language() });
      toast(t("channel_answered", { answer }));
    },
  });
}
