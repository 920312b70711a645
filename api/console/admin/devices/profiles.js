// Profiles: how models of other vendors are read, and what becomes of a message that is tried.

import { action } from "../../shell/action.js";
import { moveLink } from "../../shell/address.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { get, post } from "../../shell/http.js";
import { number, said, t } from "../../shell/i18n.js";
import { state } from "../../shell/state.js";
import { table } from "../../shell/tables.js";
import { card, facts, filled, measurementName, note, numeric, padded, present, tag } from "../blocks.js";
import { input, kindName } from "./devices.js";

// What network servers wrap a message in; a plain one needs no name.
const FORMATS = ["", "chirpstack", "things_stack", "senml_json", "ngsi", "ultralight"];
const OF_ELEMENT = ["kind", "device", "ts", "boot", "seq"];

export async function show(root, name) {
  if (name) return showOne(root, name);
  const { items, waiting, refused } = await get("/api/v1/profiles");
  root.append(card(t("part_profiles"), null, padded(note(t("profiles_how"))), table([
    { title: t("profile"), cell: (one) => moveLink({ part: "profiles", name: one.profile }, { class: "plain-link" }, bdi(one.profile)) },
    { title: t("profile_model"), cell: (one) => [bdi(`${one.vendor} ${one.model}`), h("br"), h("small", {}, said(one.title))] },
    { title: t("kind"), cell: (one) => one.kinds.map((kind, i) => [i ? " · " : "", kindName(kind)]) },
    { title: t("profile_from"), cell: (one) => (one.own ? tag(t("profile_own"), "ok") : t("profile_shipped")) },
  ], items, { empty: t("profiles_empty"), caption: t("part_profiles") })));
  if (refused.length) root.append(refusedCard(refused));
  if (waiting.length) root.append(waitingCard(waiting));
}

const refusedCard = (refused) => card(t("profiles_refused"), null, padded(note(t("profiles_refused_how"))), table([
  { title: t("file"), cell: (one) => bdi(`${one.file}:${one.line}:${one.column}`) },
  { title: t("reason"), cell: (one) => bdi(one.detail) },
  { title: t("profile_meant"), cell: (one) => bdi(one.suggestion ?? "–") },
], refused, { empty: "", caption: t("profiles_refused") }));

const waitingCard = (waiting) => card(t("profiles_waiting"), null, padded(note(t("profiles_waiting_how"))), table([
  { title: t("profile"), cell: (one) => bdi(one.profile) },
  { title: t("kind"), cell: (one) => bdi(one.kind) },
], waiting, { empty: "", caption: t("profiles_waiting") }));

async function showOne(root, name) {
  const one = await get(`/api/v1/profiles/${encodeURIComponent(name)}`);
  root.append(
    h("p", { class: "back" }, moveLink({ part: "profiles", name: null }, { class: "plain-link" }, t("part_profiles"))),
    card(one.profile, null, padded(h("p", {}, said(one.title)), facts([
      [t("profile_model"), bdi(`${one.vendor} ${one.model}`)],
      [t("profile_from"), one.own ? t("profile_own") : t("profile_shipped")],
      [t("profile_documented"), documented(one.documented)],
      [t("profile_codec"), one.codec && bdi(one.codec)],
    ])), table([
      { title: t("kind"), cell: (row) => kindName(row.kind) },
      { title: t("measurement"), cell: (row) => [measurementName(row.kind, row.measurement), " ", h("small", {}, bdi(row.measurement))] },
      { title: t("profile_stands_at"), cell: (row) => row.paths.map((path, i) => [i ? " · " : "", bdi(path)]) },
      { title: t("profile_unit"), cell: (row) => bdi(row.unit === row.becomes ? row.unit || "–" : `${row.unit} → ${row.becomes}`) },
    ], one.measurements, { empty: "", caption: t("measurement") })));
  const trial = may("manage-devices") && trialCard(one);
  root.append(card(t("profile_examples"), null, table([
    { title: t("profile_message"), cell: (example) => [bdi(example.says), h("br"), h("code", { dir: "ltr" }, spaced(example))] },
    { title: t("profile_gives"), cell: (example) => (example.gives.length ? example.gives.map((given) => h("div", { dir: "ltr" }, pairs(given))) : t("profile_no_reading")) },
    { title: "", cell: (example) => trial && h("button", { type: "button", class: "quiet", onclick: () => trial.take(example) }, t("profile_try")) },
  ], one.examples, { empty: t("profile_no_examples"), caption: t("profile_examples") })));
  if (trial) root.append(trial.element);
  root.append(card(t("profile_source"), null, padded(h("pre", { class: "code", dir: "ltr", tabindex: "0" }, one.source))));
}

const documented = (at) => (/^https:/.test(at ?? "") ? h("a", { class: "plain-link", href: at, target: "_blank", rel: "noopener noreferrer" }, bdi(at)) : at && bdi(at));
const spaced = (example) => (example.hex === null ? example.text : example.hex.match(/../g)?.join(" ") ?? "");
const pairs = (given) => Object.entries(given).map(([name, value]) => `${name} = ${value}`).join(", ");

// A message is bytes in hexadecimal, or JSON: which of both is seen from how it begins.
function trialCard(one) {
  const text = h("textarea", { name: "message", class: "short-code", dir: "ltr", rows: 5, spellcheck: "false" });
  const port = input("port", "", { inputmode: "numeric", dir: "ltr" });
  const format = select({ name: "format" }, FORMATS.map((name) => [name, name || t("profile_plain")]), "");
  const answer = h("div", { "aria-live": "polite" });
  const run = async () => answer.replaceChildren(...(await ask(one.profile, text.value, port.value, format.value)).flatMap(shownTrial));
  const element = card(t("profile_try_message"), null, padded(note(t("profile_try_how")),
    field(t("profile_message"), text, t("profile_message_hint")),
    h("div", { class: "fields" }, field(t("profile_port"), port), field(t("profile_format"), format)),
    action(t("profile_try"), run, { class: "primary" }), answer));
  return {
    element,
    take(example) {
      text.value = spaced(example);
      port.value = example.port ?? "";
      format.value = "";
      answer.replaceChildren();
      element.scrollIntoView({ block: "nearest" });
      text.focus();
    },
  };
}

async function ask(profile, message, port, format) {
  const said = message.trim();
  const json = said.startsWith("{") || said.startsWith("[");
  const question = json
    ? { profile, sample: JSON.parse(said), format: filled(format) }
    : { profile, hex: said, port: filled(port) === null ? null : numeric(port) };
  return (await post("/api/v1/profiles/test", present(question))).trials;
}

function shownTrial(trial) {
  const remarks = [
    ...trial.problems.map((one) => ({ ...one, is: tag(t("profile_problem"), "critical") })),
    ...trial.absent.map((one) => ({ ...one, is: tag(t("profile_absent"), "warning") })),
    ...trial.unread.map((one) => ({ ...one, is: tag(t("profile_unread")) })),
  ];
  return [
    trial.refused && h("p", { class: "problem" }, bdi(trial.refused)),
    ...trial.readings.map(readingTable),
    remarks.length > 0 && table([
      { title: t("profile_became"), cell: (one) => one.is },
      { title: t("profile_stands_at"), cell: (one) => bdi(one.where) },
      { title: t("profile_value"), cell: (one) => bdi(JSON.stringify(one.value)) },
      { title: t("reason"), cell: (one) => bdi(one.why) },
    ], remarks, { empty: "", caption: t("profile_became") }),
  ].filter(Boolean);
}

function readingTable(reading) {
  const measured = Object.entries(reading).filter(([name]) => !OF_ELEMENT.includes(name));
  return table([
    { title: t("measurement"), cell: ([name]) => [measurementName(reading.kind, name), " ", h("small", {}, bdi(name))] },
    { title: t("profile_value"), number: true, cell: ([, value]) => (typeof value === "number" ? number(value, 4) : bdi(value === null ? t("profile_absent") : String(value))) },
  ], measured, { empty: "", caption: `${said(state.kinds.get(reading.kind)?.title, reading.kind)} ${reading.device}` });
}
