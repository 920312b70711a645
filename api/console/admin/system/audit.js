// Who changed what, and whether the record of it is whole.

import { action } from "../../shell/action.js";
import { go, place } from "../../shell/address.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { get } from "../../shell/http.js";
import { number, t, tn } from "../../shell/i18n.js";
import { at, card, filled, listed, padded, townName, townOptions } from "../blocks.js";

export async function show(root) {
  const query = new URLSearchParams(Object.entries({ municipality: place().town, who: place().who, subject: place().subject, action: place().verb }).filter(([, value]) => value));
  const list = await listed(`/api/v1/audit?${query}`, [
    { title: t("at"), cell: (one) => at(one.changed_at) },
    { title: t("who"), cell: (one) => [bdi(one.who), h("br"), h("small", {}, bdi(one.address))] },
    { title: t("what"), cell: (one) => bdi(one.action) },
    { title: t("subject"), cell: (one) => bdi(one.subject) },
    { title: t("municipality"), cell: (one) => (one.municipality ? bdi(townName(one.municipality)) : t("whole_platform")) },
    { title: t("change"), cell: (one) => change(one) },
  ], { empty: t("audit_empty"), caption: t("part_audit") });
  const verdict = h("div", { class: "padded", "aria-live": "polite" });
  root.append(card(t("part_audit"), [
    action(t("audit_verify"), async () => verdict.replaceChildren(verified(await get(`/api/v1/audit/verify${place().town ? `?municipality=${place().town}` : ""}`)))),
    h("a", { class: "plain-link", href: `/api/v1/audit?format=ndjson&${query}`, download: "audit.ndjson" }, t("audit_export")),
  ], filters(), verdict, list));
}

const filters = () => h("form", { class: "filters", onsubmit: (event) => {
  event.preventDefault();
  const { who, subject, verb, town } = event.target.elements;
  go({ who: filled(who.value), subject: filled(subject.value), verb: filled(verb.value), town: town.value || null });
} },
field(t("who"), h("input", { name: "who", maxlength: 100, value: place().who ?? "", "data-focus": "who" })),
field(t("what"), h("input", { name: "verb", dir: "ltr", maxlength: 63, value: place().verb ?? "", placeholder: "device, rule.apply", "data-focus": "verb" })),
field(t("subject"), h("input", { name: "subject", dir: "ltr", maxlength: 100, value: place().subject ?? "", "data-focus": "subject" })),
field(t("municipality"), select({ name: "town", "data-focus": "town" }, townOptions(t("all_towns")), place().town ?? "")),
h("button", { type: "submit" }, t("filter")));

// The fields that differ, before and after, a line each.
function change({ before, after }) {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const text = (value) => (value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value));
  const lines = names.map((name) => `${name}: ${text(before?.[name])} → ${text(after?.[name])}`);
  return h("details", {}, h("summary", {}, bdi(lines[0]?.slice(0, 60) ?? "–")), h("pre", { class: "code" }, lines.join("\n")));
}

const verified = (found) => (found.problems.length
  ? h("div", { class: "problem", role: "alert" }, tn("audit_broken", found.problems.length), h("ul", {}, found.problems.slice(0, 20).map((one) => h("li", {}, bdi(`${one.month} ${one.municipality ?? ""} ${one.number ?? ""}: ${one.message}`)))))
  : h("p", {}, t(found.complete ? "audit_whole" : "audit_whole_so_far", { rows: number(found.rows, 0), chains: number(found.chains, 0) })));
