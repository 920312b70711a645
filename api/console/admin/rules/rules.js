// Rules: which there are and how they do; a new one.

import { go, moveLink, place } from "../../shell/address.js";
import { bdi, h } from "../../shell/dom.js";
import { checkbox, field, select } from "../../shell/forms.js";
import { mayEverywhere } from "../../shell/frame.js";
import { number, said, t } from "../../shell/i18n.js";
import { card, kindOptions, listed, tag } from "../blocks.js";
import { kindName } from "../devices/devices.js";
import { newRule, oneRule } from "./rule.js";

export const ruleState = (rule) => tag(t(`rulestate_${rule.state.replace(" ", "_")}`), { "in force": "ok", broken: "critical", disabled: "none" }[rule.state]);

export async function show(root, name) {
  if (name) return root.append(...(await oneRule(name)));
  if (place().tab === "new") return root.append(...(await newRule()));
  const query = new URLSearchParams({ disabled: place().tab === "all", ...(place().kind ? { kind: place().kind } : {}) });
  const list = await listed(`/api/v1/rules?${query}`, [
    { title: t("rule"), cell: (one) => moveLink({ name: one.id, kind: null, tab: null }, { class: "plain-link" }, bdi(one.id)) },
    { title: t("kind"), cell: (one) => (one.kind ? kindName(one.kind) : t("kind_all")) },
    { title: t("says"), cell: (one) => bdi(said(one.definition.summary, "–")) },
    { title: t("open_alerts"), number: true, cell: (one) => number(one.open_alerts, 0) },
    { title: t("version"), number: true, cell: (one) => number(one.version, 0) },
    { title: t("state"), cell: (one) => [ruleState(one), one.shadow && [" ", tag(t("on_trial"), "warning")]] },
  ], { empty: t("rules_empty"), caption: t("part_rules") });
  root.append(card(t("part_rules"), [
    mayEverywhere("edit-rules") && h("button", { type: "button", class: "primary", onclick: () => go({ tab: "new" }), "data-focus": "new rule" }, t("rule_add")),
  ], h("div", { class: "filters" },
    field(t("kind"), select({ onchange: (event) => go({ kind: event.target.value || null }), "data-focus": "kind" }, kindOptions(t("kind_all")), place().kind ?? "")),
    checkbox({ checked: place().tab === "all", onchange: (event) => go({ tab: event.target.checked ? "all" : null }), "data-focus": "all" }, t("rules_all"))), list));
}
