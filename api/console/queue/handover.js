// The shift handed over: what opened, was seen, ended, and is still open since an instant. To print, or to share its address.

import { addressOf, go, moveLink, place } from "../shell/address.js";
import { sentence } from "../shell/alerts.js";
import { $, bdi, h } from "../shell/dom.js";
import { alertQuery } from "../shell/filters.js";
import { field } from "../shell/forms.js";
import { report } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { deviceTitle, full, number, t, tn, zone } from "../shell/i18n.js";
import { fromLocalText, localText } from "../shell/moments.js";
import { SEVERITIES, now } from "../shell/state.js";
import { isWorked } from "./list.js";

const SHIFT_MS = 8 * 3_600_000;
const MOST = 1000;

let shown = null;

// Asks since when, and shows it.
export function ask(openDialog) {
  openDialog({
    title: t("handover"),
    body: field(t("handover_since"), h("input", { type: "datetime-local", name: "since", required: true, value: localText(now() - SHIFT_MS, zone()) })),
    label: t("handover_show"),
    submit({ since }) {
      go({ alert: null, handover: new Date(fromLocalText(since, zone())).toISOString() });
    },
  });
}

export function draw() {
  const since = place().handover;
  const key = `${since} ${alertQuery(place())} ${document.documentElement.lang}`;
  if (!since || shown === key) return;
  shown = key;
  load(since, key).catch(report);
}

async function load(since, key) {
  const begin = new Date(since);
  if (Number.isNaN(begin.getTime())) return $("handover").replaceChildren(h("p", { class: "problem empty" }, t("handover_unreadable")));
  const query = alertQuery({ ...place(), state: "all", from: begin.toISOString(), until: null });
  const page = await get(`/api/v1/alerts?${query}&order=worst&limit=${MOST}`);
  if (shown !== key) return;
  const after = (instant) => instant && Date.parse(instant) >= begin.getTime();
  const parts = [
    [t("handover_open"), page.items.filter(({ state }) => state === "firing")],
    [t("handover_opened"), page.items.filter((one) => after(one.opened_at))],
    [t("handover_seen"), page.items.filter((one) => after(one.acknowledged_at))],
    [t("handover_ended"), page.items.filter((one) => after(one.resolved_at))],
  ];
  $("handover").replaceChildren(
    h("header", { class: "explained-title" },
      h("div", {}, h("h2", { id: "handover-title" }, t("handover")), h("p", { class: "meta" }, t("handover_span", { from: full(begin), until: full(new Date(now())) }))),
      h("button", { type: "button", class: "quiet no-print", onclick: () => print() }, t("print")),
      moveLink({ handover: null }, { class: "button back no-print", "aria-label": t("close") }, "✕")),
    page.next ? h("p", { class: "problem" }, tn("handover_most", MOST)) : "",
    ...parts.map(([title, alerts]) => h("section", { class: "part" },
      h("h3", {}, title, " ", h("b", {}, number(alerts.length, 0))),
      alerts.length ? h("ol", { class: "handed" }, [...alerts].sort(order).map(line)) : h("p", { class: "meta" }, t("none")))));
}

const order = (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || Date.parse(a.opened_at) - Date.parse(b.opened_at);

const line = (alert) => h("li", { class: `is-${alert.severity}` },
  h("span", { class: `tag is-${alert.severity}` }, t(`severity_${alert.severity}`)), " ",
  h("a", { class: "plain-link", href: addressOf({ alert: alert.id, handover: null }) }, sentence(alert)), " ",
  h("span", { class: "meta" },
    h("span", {}, bdi(deviceTitle(alert))), h("span", {}, full(new Date(alert.opened_at))),
    alert.resolved_at && h("span", {}, t("alert_ended", { time: full(new Date(alert.resolved_at)) })),
    alert.acknowledged_at && h("span", {}, t("acknowledged_by", { name: `\u2068${alert.acknowledged_by ?? ""}\u2069` })),
    alert.assignee && h("span", {}, t("assigned_to", { name: `\u2068${alert.assignee}\u2069` })),
    isWorked(alert) && h("span", {}, t(`work_${alert.work_state.replaceAll("-", "_")}`))));
