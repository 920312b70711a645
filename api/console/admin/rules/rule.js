// One rule: its text with mistakes as they are typed, its limits, a test on the past, a trial, its history.

import { action, reasonOf } from "../../shell/action.js";
import { go, moveLink } from "../../shell/address.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { mayEverywhere } from "../../shell/frame.js";
import { get, post, remove, sendText } from "../../shell/http.js";
import { number, said, t } from "../../shell/i18n.js";
import { table } from "../../shell/tables.js";
import { toast } from "../../shell/toast.js";
import { at, card, facts, note, padded } from "../blocks.js";
import { backtest, findings } from "./backtest.js";
import { kindName } from "../devices/devices.js";
import { textEditor } from "../editor.js";
import { ruleForm } from "./rule_form.js";
import { inOrder, limitsOf, toYaml, withLimit } from "./rule_text.js";
import { ruleState } from "./rules.js";
import { again } from "../stage.js";

const DAYS = [1, 3, 7, 31];
const pathOf = (id, rest = "") => `/api/v1/rules/${encodeURIComponent(id)}${rest}`;
const back = () => h("p", { class: "back" }, moveLink({ name: null, tab: null }, { class: "plain-link" }, t("part_rules")));

export async function oneRule(id) {
  const rule = await get(pathOf(id));
  const editor = ruleEditor(toYaml(inOrder(rule.definition)));
  return [back(), headCard(rule),
    mayEverywhere("edit-rules") && limitsCard(rule, editor),
    card(t("rule_text"), null, padded(editor.element, actions(rule.id, editor, rule.version))),
    rule.shadow && await trialCard(rule), historyCard(rule)].filter(Boolean);
}

export async function newRule() {
  const editor = ruleEditor("");
  const form = await ruleForm((text) => editor.set(text));
  const id = () => /^\s*-?\s*id:\s*["']?([a-z0-9-]+)/m.exec(editor.text())?.[1] ?? "";
  return [back(), card(t("rule_add"), null, padded(form)), card(t("rule_text"), null, padded(editor.element, actions(id, editor, 0)))];
}

const headCard = (rule) => card(rule.id, mayEverywhere("edit-rules") && [
  rule.state === "disabled" ? action(t("enable"), async () => (await post(pathOf(rule.id, "/enable")), again())) : action(t("disable"), () => disable(rule)),
], padded(h("p", {}, bdi(said(rule.definition.summary, "–"))), rule.broken_reason && h("p", { class: "problem" }, bdi(rule.broken_reason)), facts([
  [t("state"), ruleState(rule)],
  [t("kind"), rule.kind ? kindName(rule.kind) : t("kind_all")],
  [t("open_alerts"), number(rule.open_alerts, 0)],
  [t("version"), number(rule.version, 0)],
  [t("changed_by"), rule.author && bdi(rule.author)],
  [t("changed_at"), at(rule.created_at)],
  [t("what_to_do"), rule.definition.runbook && bdi(said(rule.definition.runbook))],
])));

async function disable(rule) {
  await post(pathOf(rule.id, "/disable"));
  await again();
  toast(t("rule_disabled", { id: rule.id }), { label: t("undo"), action: async () => (await post(pathOf(rule.id, "/enable")), again()) });
}

// The numbers that a rule compares with, without its language: typing one changes the text.
function limitsCard(rule, editor) {
  const limits = limitsOf(rule.definition);
  if (!limits.length) return null;
  let definition = rule.definition;
  return card(t("limits"), null, padded(note(t("limits_how")), h("div", { class: "fields" }, limits.map((one) =>
    field([one.severity ? t(`severity_${one.severity}`) : t("limit_clear"), ": ", h("bdi", { dir: "ltr" }, `${one.measurement} ${one.sign}`)],
      h("input", { type: "number", step: "any", value: one.limit, dir: "ltr", "data-limit": one.path.join("."), oninput: (event) => {
        if (event.target.value === "") return;
        definition = withLimit(definition, one.path, Number(event.target.value));
        editor.set(toYaml(inOrder(definition)));
      } }), one.attribute && t("limit_by_device", { attribute: one.attribute }))))));
}

// The text with its mistakes, judged as it would be applied.
// Who may only try it out is told of mistakes by the test.
const ruleEditor = (text) => textEditor({
  label: t("rule_text"), text, readonly: !mayEverywhere("edit-rules") && !mayEverywhere("try-rules"),
  judge: mayEverywhere("edit-rules") && ((said) => sendText("POST", "/api/v1/rules/check", said, "application/yaml").then(({ warnings }) => warnings)),
});

// `id`: of the rule, or what says it; `version`: 0 where it must be new.
function actions(id, editor, version) {
  const name = () => (typeof id === "function" ? id() : id);
  const days = select({ "aria-label": t("test_days") }, DAYS.map((n) => [String(n), t("last_days", { n })]), "7");
  const result = h("div", { class: "files", "aria-live": "polite" });
  const put = (rest, headers) => sendText("PUT", pathOf(name() || "-", rest), editor.text(), "application/yaml", headers);
  return h("div", { class: "files" }, h("div", { class: "actions-row" },
    mayEverywhere("try-rules") && [days, action(t("rule_test"), async () => result.replaceChildren(...(await backtest(editor.text(), Number(days.value)))), { "data-focus": "test" })],
    mayEverywhere("edit-rules") && [
      action(t("rule_trial"), async () => (await put("/shadow"), toast(t("rule_on_trial")), version ? again() : go({ name: name(), tab: null }))),
      action(t("rule_apply"), async () => {
        const { warnings } = await put("", version ? { "If-Match": `"${version}"` } : { "If-None-Match": "*" });
        editor.done();
        toast([t("rule_applied"), ...warnings].join(" "));
        if (version) await again();
        else go({ name: name(), tab: null });
      }, { class: "primary", "data-focus": "apply" })]), result);
}

// What a trial found is about every town: who reads one of them is not shown it.
async function trialCard(rule) {
  let trial;
  try {
    trial = await get(pathOf(rule.id, "/shadow"));
  } catch (error) {
    return error.status === 403 ? null : card(t("trial"), null, padded(h("p", { class: "problem", role: "alert" }, t("failed", { reason: reasonOf(error) }))));
  }
  return card(t("trial"), mayEverywhere("edit-rules") && [
    action(t("trial_promote"), async () => (await post(pathOf(rule.id, "/shadow/promote")), again()), { class: "primary" }),
    action(t("trial_drop"), async () => (await remove(pathOf(rule.id, "/shadow")), again())),
  ], padded(note(t("trial_how")), trial.broken_reason && h("p", { class: "problem" }, bdi(trial.broken_reason)), facts([[t("trial_since"), at(trial.created_at)], [t("changed_by"), trial.author && bdi(trial.author)]]), ...findings(trial.findings)));
}

const historyCard = (rule) => card(t("history"), null, table([
  { title: t("at"), cell: (one) => at(one.at) },
  { title: t("version"), number: true, cell: (one) => (one.version === null ? "–" : number(one.version, 0)) },
  { title: t("what"), cell: (one) => bdi(one.action) },
  { title: t("changed_by"), cell: (one) => bdi(one.author || "–") },
  { title: "", cell: (one) => one.version !== null && action(t("version_show"), () => showVersion(rule.id, one.version), { class: "quiet" }) },
], [...rule.history].reverse(), { empty: t("history_empty"), caption: t("history") }));

async function showVersion(id, version) {
  const old = await get(`${pathOf(id)}?version=${version}`);
  openDialog({ title: t("version_of", { id, n: version }), wide: true, body: h("pre", { class: "code" }, toYaml(inOrder(old.definition))) });
}
