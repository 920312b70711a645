// Sources: who speaks for foreign devices, how it goes with each, and what another platform is to be told.

import { action, copied, reasonOf } from "../../shell/action.js";
import { go, moveLink, place } from "../../shell/address.js";
import { confirmed, openDialog } from "../../shell/dialog.js";
import { bdi, fill, h } from "../../shell/dom.js";
import { get, patch, remove } from "../../shell/http.js";
import { number, t, titleOf } from "../../shell/i18n.js";
import { now, state } from "../../shell/state.js";
import { table } from "../../shell/tables.js";
import { updateTimes } from "../../shell/times.js";
import { toast } from "../../shell/toast.js";
import { card, facts, listed, note, padded, since, tag, townName } from "../blocks.js";
import { kindName } from "./devices.js";
import { addSource, editSource, formatName } from "./source_form.js";
import { again } from "../stage.js";

const PATH = "/api/v1/sources";
const AGAIN_MS = 5000;
const DAY_MS = 86_400_000;
const pathOf = (name) => `${PATH}/${encodeURIComponent(name)}`;

export async function show(root, name) {
  if (name) return showOne(root, name);
  const first = await get(PATH);
  const box = h("div");
  root.append(card(t("part_sources"), action(t("source_add"), () => addSource(first.formats, added), { class: "primary", "data-focus": "add source" }),
    padded(note(t("sources_how")), guide()), box));
  follow(root, PATH, first, ({ items }) => redraw(box, items, () => table([
    { title: t("name"), cell: (one) => [moveLink({ name: one.name }, { class: "plain-link", "data-focus": one.name }, bdi(one.name)), h("br"), h("small", { class: "one-line" }, bdi(formatName(one.format)), " · ", SHORT[one.way])] },
    { title: t("state"), cell: stateCell },
    ...(state.towns.size > 1 ? [{ title: t("municipality"), cell: (one) => bdi(townName(one.municipality)) }] : []),
    { title: t("source_last_message"), cell: (one) => since(one.state?.last_message_at) },
    ...COUNTS.map((count) => ({ title: t(`source_${count}`), number: true, cell: (one) => (isCounted(one) ? number(one.state?.[count] ?? 0, 0) : "–") })),
  ], items, { empty: t("sources_empty"), caption: t("part_sources") })));
}

const SHORT = { mqtt: "MQTT", webhook: "Webhook" };
const COUNTS = ["messages", "readings", "rejected", "problems", "copies"];
const guide = () => h("p", {}, h("a", { class: "plain-link", href: "/guide/administrator" }, t("sources_guide")));
const wayName = (one) => t(`source_way_${one.way}`);

// What a source is in a word, how serious that is, and why.
function stateOf(one) {
  const it = one.state;
  if (!one.enabled) return [t("source_is_disabled"), "none"];
  if (one.way === "webhook") return posting(it);
  if (!it) return [t("source_is_unheard"), "warning", t("source_bridge_runs")];
  if (!one.alive) return [t("source_is_unwatched"), "critical", t("source_bridge_runs")];
  if (!it.connected) return [t("source_is_away"), "critical", bdi(it.reason)];
  return it.reason ? [t("source_is_waiting"), "warning", bdi(it.reason)] : [t("source_is_connected"), "ok"];
}

// Nobody stays connected who posts: what came last says how it goes, and for a day only.
function posting(it) {
  const last = it?.last_message_at ? Date.parse(it.last_message_at) : 0;
  const word = it?.messages ? t("source_is_posting") : t("source_is_unheard");
  if (it?.refused && Date.parse(it.refused_at) > last) return [word, "warning", [t("source_refused"), ": ", number(it.refused, 0)]];
  if (!it?.messages) return [word, "none"];
  return now() - last <= DAY_MS ? [word, "ok"] : [t("source_is_quiet"), "none"];
}

function stateCell(one) {
  if (!isSeen(one)) return "–";
  const [word, is, why] = stateOf(one);
  return why ? [tag(word, is), h("br"), h("small", {}, why)] : [tag(word, is)];
}

// It changes while somebody waits for it: asked again, and drawn where it has changed. A part that is left is asked no
// more, and neither is what is gone; while there is no answer, what is shown says that it is not of now.
function follow(root, path, first, draw) {
  const old = h("p", { class: "problem", role: "status", hidden: true });
  root.prepend(old);
  draw(first);
  const timer = setInterval(async () => {
    if (!root.isConnected || place().part !== "sources") return clearInterval(timer);
    try {
      draw(await get(path));
      old.hidden = true;
    } catch (error) {
      if (error.status === 404) clearInterval(timer);
      const text = t("source_not_current", { reason: reasonOf(error) });
      if (old.textContent !== text) old.textContent = text;
      old.hidden = false;
    }
  }, AGAIN_MS);
}

// A sign of life alone draws nothing anew; a table that was scrolled to its side stays there.
function redraw(box, shown, children) {
  const scrolled = box.querySelector(".table")?.scrollLeft;
  fill(box, JSON.stringify(shown, (key, value) => (key === "alive_at" ? undefined : value)), () => [children()].flat());
  const drawn = box.querySelector(".table");
  if (drawn && scrolled) drawn.scrollLeft = scrolled;
  updateTimes(box);
}

async function showOne(root, name) {
  const one = await get(pathOf(name));
  const head = h("div", { class: "standing" });
  root.append(
    h("p", { class: "back" }, moveLink({ part: "sources", name: null }, { class: "plain-link" }, t("part_sources"))),
    card(one.name, acts(one), padded(head, h("h3", {}, t("source_set_up")), facts(settingsOf(one)))));
  if (one.way === "webhook") root.append(webhookCard(one));
  root.append(card(t("devices"), null, padded(note(t("source_devices_how"))), await deviceList(one)));
  follow(root, pathOf(name), one, (found) => {
    redraw(head, found, () => [facts(standing(found)), ...problemOf(found)]);
    // Changed elsewhere: its settings, and what can be done with it.
    if (found.version !== one.version) again();
  });
}

const standing = (one) => [
  isSeen(one) && [t("state"), stateCell(one)],
  one.way === "mqtt" && [t("source_since"), one.state && since(one.state.since)],
  isCounted(one) && [t("source_last_message"), since(one.state?.last_message_at)],
  ...COUNTS.filter(() => isCounted(one)).map((count) => [t(`source_${count}`), number(one.state?.[count] ?? 0, 0)]),
  one.state?.unread > 0 && [t("source_unread"), number(one.state.unread, 0)],
  one.way === "webhook" && one.state?.refused > 0 && [t("source_refused"), [number(one.state.refused, 0), " · ", since(one.state.refused_at)]],
];

const problemOf = (one) => (one.state?.problem ? [h("p", { class: "hint" }, t("source_problem"), " ", since(one.state.problem_at)), h("code", { dir: "ltr" }, one.state.problem)] : []);

const settingsOf = (one) => [
  [t("municipality"), bdi(townName(one.municipality))],
  [t("profile_format"), bdi(formatName(one.format))],
  [t("source_way"), wayName(one)],
  [t("profile"), one.profile && profileLink(one.profile)],
  [t("source_models"), Object.keys(one.profiles).length > 0 && Object.entries(one.profiles).map(([model, profile]) => h("div", {}, h("bdi", { dir: "ltr" }, model, " → ", profileLink(profile))))],
  [t("source_gateway"), moveLink({ part: "devices", name: one.gateway }, { class: "plain-link" }, bdi(one.gateway))],
  one.way === "mqtt" && [t("source_url"), one.url ? bdi(one.url) : t("source_own_broker")],
  one.topics.length > 0 && [t("source_topics"), one.topics.map((topic) => h("div", {}, bdi(topic)))],
  one.url && [t("source_protocol"), bdi(`MQTT ${one.protocol}`)],
  [t("source_username"), one.username && bdi(one.username)],
  one.url && [t("password"), t(one.has_secret ? "source_secret_kept" : "none")],
  one.authority && [t("source_authority"), t("source_authority_own")],
];

const profileLink = (name) => moveLink({ part: "profiles", name }, { class: "plain-link" }, bdi(name));

const deviceList = (one) => listed(`/api/v1/devices?relay=${encodeURIComponent(one.gateway)}`, [
  { title: t("device"), cell: (device) => moveLink({ part: "devices", name: device.name }, { class: "plain-link" }, bdi(device.name)) },
  { title: t("called"), cell: (device) => bdi(titleOf({ ...device, name: "–" })) },
  { title: t("kind"), cell: (device) => kindName(device.kind) },
], { empty: t("source_devices_empty"), caption: t("devices") });

// Devices of our own that post sign in with their own passwords; what others post is for the source's address.
const isNative = (one) => one.format === "nabd";
const isCounted = (one) => one.way === "mqtt" || !isNative(one);
const isSeen = (one) => isCounted(one) || !one.enabled;
const addressOf = (one) => new URL(isNative(one) ? "/api/v1/telemetry" : `/api/v1/webhooks/${encodeURIComponent(one.name)}`, location.origin).href;

const webhookCard = (one) => card(t("source_webhook"), !isNative(one) && [h("button", { type: "button", "data-focus": "new secret", onclick: () => anotherSecret(one) }, t("source_secret_new"))],
  padded(note(t(isNative(one) ? "source_webhook_native" : "source_webhook_how")), copied(addressOf(one), t("copy"), t("copied")),
    !isNative(one) && h("p", { class: "hint" }, t(one.has_secret ? "source_secret_is_kept" : "source_secret_missing"))));

function anotherSecret(one) {
  confirmed(t("source_secret_new"), t("source_secret_new_how"), t("source_secret_make"), async () => {
    const changed = await patch(pathOf(one.name), { new_secret: true });
    await again();
    tellSecret(changed, changed.secret);
  });
}

// A secret is seen once; the address is needed beside it.
function tellSecret(one, secret) {
  const labelled = (label, text, name) => h("div", { class: "field" }, h("span", {}, label), copied(text, name, t("copied")));
  openDialog({
    title: one.name, wide: true,
    body: [h("p", {}, t("source_secret_once")), labelled(t("source_webhook_address"), addressOf(one), t("source_copy_address")),
      labelled(t("source_secret_header"), `Authorization: Bearer ${secret}`, t("source_copy_header")), labelled(t("source_secret"), secret, t("source_copy_secret"))],
  });
}

async function added(one) {
  go({ part: "sources", name: one.name });
  await again();
  if (one.secret) tellSecret(one, one.secret);
}

const acts = (one) => [
  action(t("edit"), () => editSource(one.name, async (changed) => {
    await again();
    toast(t("saved"));
    if (changed.secret) tellSecret(changed, changed.secret);
  }), { "data-focus": "edit source" }),
  action(t(one.enabled ? "disable" : "enable"), async () => {
    await patch(pathOf(one.name), { enabled: !one.enabled });
    await again();
  }, { "data-focus": "able" }),
  h("button", { type: "button", class: "danger", onclick: () => confirmed(t("source_remove", { name: one.name }), t("source_remove_how"), t("source_remove_it"), async () => {
    await remove(pathOf(one.name));
    go({ part: "sources", name: null });
    await again();
  }) }, t("source_remove_it")),
];
