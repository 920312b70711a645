// Work past its deadline, the longest late first: what a supervisor asks about in the morning.

import { deviceLink, orderLink } from "../shell/address.js";
import { districtsOf } from "../shell/districts.js";
import { bdi, h } from "../shell/dom.js";
import { get } from "../shell/http.js";
import { full, said, t } from "../shell/i18n.js";
import { now, state } from "../shell/state.js";
import { table } from "../shell/tables.js";
import { length } from "./amounts.js";

const MOST = 200;

export async function report(element, { town, current }) {
  const query = new URLSearchParams({ municipality: town, overdue: "true", order: "late", limit: String(MOST) });
  const [{ items, next }, districts] = await Promise.all([get(`/api/v1/work-orders?${query}`), districtsOf(town)]);
  if (!current()) return;
  const late = items.map((order) => ({ order, due: due(order), where: said(districts[order.district], order.district ?? "–") })).sort((a, b) => a.due - b.due);
  const file = new URLSearchParams({ municipality: town, overdue: "true", format: "csv", bom: "true" });
  element.replaceChildren(
    h("div", { class: "report-controls" }, h("p", { class: "meta" }, t("late_what")), h("a", { class: "button", href: `/api/v1/exports/work-orders?${file}`, download: "" }, t("export_csv"))),
    table(columns, late, { empty: t("late_none"), caption: t("part_late") }),
    next ? h("p", { class: "meta padded" }, t("late_more", { n: MOST })) : "");
}

// The deadline that it missed first.
function due(order) {
  const missed = { response: order.response_due_at, repair: order.repair_due_at };
  return Math.min(...order.overdue.map((one) => Date.parse(missed[one])));
}

const columns = [
  { get title() { return t("late_by"); }, cell: ({ due: at }) => h("b", { class: "late-by" }, length((now() - at) / 1000)) },
  { get title() { return t("order"); }, cell: ({ order }) => orderLink(order.id, { class: "plain-link" }, order.title ? bdi(order.title) : bdi(order.rule ?? `#${order.id}`)) },
  { get title() { return t("device"); }, cell: ({ order }) => [deviceLink(order.device, { class: "plain-link" }, bdi(order.device)), h("small", {}, " ", said(state.kinds.get(order.kind)?.title, order.kind))] },
  { get title() { return t("district"); }, cell: ({ where }) => bdi(where) },
  { get title() { return t("severity"); }, cell: ({ order }) => h("span", { class: `tag is-${order.severity}` }, t(`severity_${order.severity}`)) },
  { get title() { return t("order_state"); }, cell: ({ order }) => t(`order_is_${order.state}`) },
  { get title() { return t("who_has_it"); }, cell: ({ order }) => (order.assignee || order.team ? bdi([order.assignee, order.team].filter(Boolean).join(", ")) : t("nobody")) },
  { get title() { return t("deadline"); }, cell: ({ due: at }) => full(new Date(at)) },
];
