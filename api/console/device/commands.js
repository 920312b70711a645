// What a device is told: commands with what became of them, and what it is to be set to against what it says.

import { reasonOf } from "../shell/action.js";
import { confirmed, openDialog } from "../shell/dialog.js";
import { bdi, h } from "../shell/dom.js";
import { field, select } from "../shell/forms.js";
import { may } from "../shell/frame.js";
import { get, patch, post } from "../shell/http.js";
import { full, number, said, t, titleOf, unit } from "../shell/i18n.js";
import { numberOf } from "../shell/numbers.js";
import { state } from "../shell/state.js";
import { toast } from "../shell/toast.js";

const SHOWN = 5;
const IS = { succeeded: "ok", failed: "critical", rejected: "major", expired: "warning" };
const AGREES = { agreed: "ok", waiting: "warning", refused: "major", apart: "major" };
const RISKY = ["reboot", "return_home"];

let box = null;
let device = null;
let found = { commands: [], config: null, failed: null, more: false };

const address = (what) => `/api/v1/devices/${encodeURIComponent(device.name)}/${what}`;
const kindOf = () => state.kinds.get(device.kind);

export function startCommands(element, shown) {
  [box, device, found] = [element, shown, { commands: [], config: null, failed: null, more: false }];
  // What groups others, and has no kind, is told nothing.
  box.hidden = !kindOf() || Boolean(shown.retired_at);
  if (!box.hidden) load();
}

async function load(limit = SHOWN) {
  const own = found;
  try {
    const [page, config] = await Promise.all([get(address(`commands?limit=${limit}`)), get(address("config"))]);
    Object.assign(own, { commands: page.items, more: Boolean(page.next), config, failed: null });
  } catch (error) {
    own.failed = reasonOf(error);
  }
  if (own === found) fill();
}

// One command of this device as it stands now.
export function hearCommand(command) {
  const there = found.commands.findIndex(({ id }) => id === command.id);
  if (there < 0) found.commands.unshift(command);
  else if (found.commands[there].updated_at <= command.updated_at) found.commands[there] = command;
  fill();
}

function fill() {
  const { commands, config, failed, more } = found;
  const focused = box.contains(document.activeElement) && document.activeElement.dataset.focus;
  const acts = may("command-devices");
  box.replaceChildren(h("section", { class: "padded" },
    h("div", { class: "head-row" }, h("h2", {}, t("commands")), acts && h("button", { type: "button", class: "quiet", "data-focus": "tell", onclick: tell }, t("command_give"))),
    failed && h("p", { class: "problem", role: "alert" }, t("failed", { reason: failed })),
    commands.length ? h("ol", { class: "life", "aria-live": "polite" }, commands.map(row)) : !failed && h("p", { class: "meta" }, t(config ? "commands_none" : "loading")),
    more && h("button", { type: "button", class: "quiet", onclick: () => load(100) }, t("show_more")),
    config && settings(config, acts)));
  if (focused) box.querySelector(`[data-focus="${focused}"]`)?.focus();
}

const row = (command) => h("li", {},
  h("p", {}, h("span", { class: `tag is-${IS[command.status] ?? "none"}` }, t(`command_is_${command.status}`)), " ", bdi(commandName(kindOf(), command.name)), " ", bdi(spoken(command.args))),
  h("small", {}, h("time", { datetime: command.created_at }, full(new Date(command.created_at))), command.author && [" · ", bdi(command.author)], command.detail && [" · ", bdi(command.detail_code ? t(`command_says_${command.detail_code}`, { at: whenever(command.detail_at) }) : command.detail)]),
  command.situation && h("small", {}, situation(command.situation)));

// What is known of one that a network server has, or is to have.
const situation = (known) => t(known.source === null && known.situation !== "source_removed" ? `command_stands_${known.situation}` : `command_situation_${known.situation}`, { source: known.source, since: whenever(known.since), source_at: whenever(known.source_heard_at), device_at: whenever(known.device_heard_at) });
const whenever = (at) => (at ? full(new Date(at)) : "–");

export const commandName = (kind, name) => said(kind?.commands.find((one) => one.name === name)?.label, name);

// Arguments as a person reads them: their names are those of the kind.
const spoken = (args) => Object.entries(args).map(([name, value]) => `${name} = ${shownValue(value)}`).join(", ");
const shownValue = (value) => (value === undefined || value === null ? "–" : typeof value === "number" ? number(value, 3) : typeof value === "boolean" ? t(value ? "yes" : "no") : typeof value === "string" ? value : JSON.stringify(value));

function settings(config, acts) {
  const declared = kindOf().configuration.filter(({ name }) => name in config.desired || name in config.reported);
  return [
    h("div", { class: "head-row" }, h("h3", {}, t("config")), h("span", { class: `tag is-${AGREES[config.agreement] ?? "none"}` }, t(`config_${config.agreement}`)),
      acts && h("button", { type: "button", class: "quiet", "data-focus": "set", onclick: set }, t("config_change"))),
    config.firmware && h("p", { class: "meta" }, t("firmware"), " ", bdi(config.firmware)),
    declared.length > 0 && h("table", { class: "plain" },
      h("thead", {}, h("tr", {}, h("th", {}, ""), h("th", {}, t("config_wanted")), h("th", {}, t("config_reported")))),
      h("tbody", {}, declared.map((one) => h("tr", { class: config.drift.includes(one.name) ? "drift" : "" },
        h("th", { scope: "row" }, said(one.label, one.name), one.unit && ` (${unit(one.unit)})`),
        h("td", {}, bdi(shownValue(config.desired[one.name]))),
        h("td", {}, bdi(shownValue(config.reported[one.name])), config.refused[one.name] && h("p", { class: "problem" }, bdi(config.refused[one.name]))))))),
  ];
}

// A control for one value, by its declaration; what is typed is a value of its type.
export function control(one, value) {
  const label = `${said(one.label, one.name)}${one.unit ? ` (${unit(one.unit)})` : ""}`;
  const bounds = one.low !== null && one.high !== null ? t("between", { low: one.low, high: one.high }) : null;
  if (one.type === "boolean") return field(label, select({ name: one.name }, [...(one.required ? [] : [["", "–"]]), ["true", t("yes")], ["false", t("no")]], String(value ?? (one.required ? true : ""))));
  return field(label, h("input", { name: one.name, value: one.type === "list" && value ? JSON.stringify(value) : value ?? "", dir: "ltr", required: one.required, inputmode: one.type === "number" ? "decimal" : "text" }), bounds);
}

export function typed(one, text) {
  if (!text?.trim()) return undefined;
  if (one.type === "number") return numberOf(text);
  if (one.type === "boolean") return text === "true";
  return one.type === "list" ? JSON.parse(text) : text.trim();
}

// The choice of a command with its arguments, and what was chosen.
export function commandFields(commands) {
  const args = h("div", { class: "fields" });
  const draw = () => args.replaceChildren(...commands.find(({ name }) => name === chosen.value).arguments.map((one) => control(one)));
  const chosen = select({ name: "command", onchange: draw }, commands.map((one) => [one.name, said(one.label, one.name)]));
  draw();
  return {
    body: [field(t("command"), chosen), args],
    said(values) {
      const command = commands.find(({ name }) => name === values.command);
      const known = command.arguments.map((one) => [one.name, typed(one, values[one.name])]).filter(([, value]) => value !== undefined);
      return { name: command.name, args: Object.fromEntries(known) };
    },
  };
}

function tell() {
  const form = commandFields(kindOf().commands);
  openDialog({
    title: t("command_give"), label: t("command_send"), body: form.body,
    async submit(values) {
      const body = form.said(values);
      const send = async () => hearCommand(await post(address("commands"), body));
      if (!RISKY.includes(body.name)) return send();
      confirmed(commandName(kindOf(), body.name), t("command_sure", { device: titleOf(device) }), t("command_send"), send);
    },
  });
}

function set() {
  const { config } = found;
  const declared = kindOf().configuration;
  openDialog({
    title: t("config_change"),
    body: [h("p", { class: "hint" }, t("config_how")), ...declared.map((one) => control({ ...one, required: false }, config.desired[one.name]))],
    async submit(values) {
      const desired = Object.fromEntries(declared.map((one) => [one.name, typed(one, values[one.name]) ?? null]).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(config.desired[name] ?? null)));
      if (!Object.keys(desired).length) return;
      found.config = await patch(address("config"), { desired }, { "If-Match": `"${config.version}"` });
      fill();
      toast(t("config_kept"));
    },
  });
}
