// One alert explained: what, since when, what to do, where, who has it, why, and all that happened.

import { reasonOf } from "../shell/action.js";
import { deviceLink, moveLink, place } from "../shell/address.js";
import { sentence } from "../shell/alerts.js";
import { $, bdi, h, isolated } from "../shell/dom.js";
import { may, reader, report } from "../shell/frame.js";
import { get, post } from "../shell/http.js";
import { deviceTitle, full, language, number, numerals, said, t, value } from "../shell/i18n.js";
import { state } from "../shell/state.js";
import { updateTimes } from "../shell/times.js";
import * as acts from "./acts.js";
import { commentForm } from "./comments.js";
import { drawPast } from "./past.js";
import { due } from "./queue.js";
import { isWorked, reload } from "./list.js";
import { timeLine } from "./timeline.js";
import { whereMap } from "./where.js";
import { why } from "./why.js";

const GATHER_MS = 500;

// What is known of the alert of the address: {id, alert, told, order, device, limits, failed}.
let found = null;
let parts = null;
let waiting = null;

export const alertOf = (id) => (found?.alert?.id === id ? found.alert : null);

export function draw({ anew = false } = {}) {
  const id = place().alert;
  if (!id) return;
  if (found?.id !== id) begin(id);
  else if (anew) build();
}

// The network was away: what is known may be old.
export const refresh = () => found && place().alert === found.id && load(found);

acts.follow(refresh);

export function hear(alert) {
  if (alert.id !== found?.id) return;
  waiting ??= setTimeout(() => {
    waiting = null;
    refresh();
  }, GATHER_MS);
}

// The reader wants to write one.
export function comment() {
  if (parts?.comment) parts.comment.focus();
  else if (found) found.wantsToWrite = true;
}

function begin(id) {
  found = { id, wantsToWrite: false };
  parts = null;
  $("explained").replaceChildren(h("p", { class: "empty", id: "explained-title" }, t("loading")));
  load(found);
}

async function load(own) {
  try {
    const alert = await get(`/api/v1/alerts/${own.id}`);
    const device = encodeURIComponent(alert.device);
    const [told, order, about, limits] = await Promise.all([
      get(`/api/v1/alerts/${own.id}/notifications`),
      alert.work_order ? get(`/api/v1/work-orders/${alert.work_order}`) : null,
      own.device ?? get(`/api/v1/devices/${device}`),
      own.limits ?? get(`/api/v1/devices/${device}/limits`).catch(() => null),
    ]);
    Object.assign(own, { alert, told, order, device: about, limits, failed: null });
  } catch (error) {
    own.failed = reasonOf(error);
  }
  if (found === own && language()) build();
}

function build() {
  if (!found.alert) {
    $("explained").replaceChildren(h("p", { class: "problem empty", id: "explained-title", role: "alert" }, found.failed ? t("failed", { reason: found.failed }) : t("loading")), back());
    return;
  }
  if (parts?.language !== language() || parts.id !== found.id) frame();
  const { alert, order, told } = found;
  parts.head.replaceChildren(...head(alert));
  parts.actions.replaceChildren(...actions(alert));
  parts.who.replaceChildren(...who(alert, order, told));
  parts.line.replaceChildren(...timeLine(alert, told, order));
  parts.more.replaceChildren(...facts(alert));
  updateTimes($("explained"));
}

// Once an alert and language; what loads by itself is begun here.
function frame() {
  const { alert } = found;
  const section = (name, title, ...inside) => h("section", { class: `part ${name}` }, h("h3", {}, title), ...inside);
  const form = may("answer-alerts") ? commentForm(alert.id, refresh) : null;
  parts = {
    id: alert.id, language: language(),
    head: h("header", { class: "explained-head" }), actions: h("div", { class: "explained-actions" }),
    past: h("div", { class: "past" }), who: h("dl", { class: "who-has" }), why: h("div", {}), line: h("ol", { class: "events" }), more: h("dl", { class: "facts" }),
    comment: form?.querySelector("input"),
  };
  const runbook = said(alert.runbook);
  $("explained").replaceChildren(...[
    parts.head, parts.actions,
    runbook && section("todo", t("runbook"), h("p", { class: "runbook" }, runbook)),
    section("course", t("course"), parts.past),
    section("where", t("where_is"), ...address(alert), placeOf(alert)),
    section("has", t("in_hand"), parts.who),
    section("reasons", t("why"), parts.why),
    section("happened", t("happened"), parts.line, form),
    h("details", { class: "part" }, h("summary", {}, t("details")), parts.more),
  ].filter(Boolean));
  const own = parts;
  drawPast(parts.past, alert, found.limits).then((trend) => {
    if (parts !== own) return;
    found.trend = trend;
    parts.head.replaceChildren(...head(found.alert));
    updateTimes(parts.head);
  }).catch(report);
  why(parts.why, alert);
  if (found.wantsToWrite) parts.comment?.focus();
}

const back = () => moveLink({ alert: null }, { class: "button back", "aria-label": t("close") }, "✕");

function head(alert) {
  const since = new Date(alert.opened_at);
  const course = alert.course && numerals(said(alert.course));
  return [
    h("div", { class: "explained-title" },
      h("h2", { id: "explained-title" }, sentence(alert)),
      back()),
    h("p", { class: "meta" },
      h("span", { class: `tag is-${alert.severity}` }, t(`severity_${alert.severity}`)),
      alert.state === "resolved" && h("span", { class: "tag is-ok" }, t("alert_ended", { time: full(new Date(alert.resolved_at)) })),
      h("span", {}, t("since", { time: full(since) })),
      alert.state === "firing" && h("time", { "data-since": alert.opened_at, datetime: alert.opened_at }),
      alert.unknown && h("span", {}, t("unknown"))),
    (course || found.trend) && h("p", { class: "meta course-line" }, course && h("span", {}, isolated(course)), found.trend && h("b", {}, t(`trend_${found.trend}`))),
    alert.inhibited_by && h("p", { class: "meta" }, moveLink({ alert: alert.inhibited_by }, { class: "plain-link" }, t("inhibited", { parent: number(alert.inhibited_by, 0) }))),
  ].filter(Boolean);
}

function actions(alert) {
  const button = (name, text, work, css = "quiet") => h("button", { type: "button", class: css, "data-act": name, onclick: (event) => acts.run(event.currentTarget, work) }, text);
  const open = alert.state === "firing";
  const mine = alert.assigned_to && alert.assigned_to === reader().user;
  const withdraw = async () => {
    await post(`/api/v1/alerts/${alert.id}/unacknowledge`);
    acts.done(t("unacknowledged"), () => post(`/api/v1/alerts/${alert.id}/acknowledge`));
    await reload();
  };
  return [
    open && !alert.acknowledged_at && may("answer-alerts") && button("acknowledge", t("acknowledge"), () => acts.acknowledge([alert]), "primary"),
    open && alert.acknowledged_at && may("answer-alerts") && button("unacknowledge", t("unacknowledge"), withdraw),
    open && !mine && reader().user && may("answer-alerts") && button("take", t("take_over"), () => acts.take([alert])),
    open && may("assign-alerts") && button("assign", t("assign_dots"), () => acts.openAssign([alert])),
    open && !isWorked(alert) && may("direct-work") && button("work", t("work_dots"), () => acts.openWork([alert])),
    open && may("silence-alerts") && button("silence", t("silence_dots"), () => acts.openSilence([alert])),
  ].filter(Boolean);
}

function address(alert) {
  const { lat, lon } = found.device;
  const words = [alert.street && said(alert.street), alert.district && said(alert.district_title, alert.district)].filter(Boolean);
  return [h("p", { class: "address" },
    deviceLink(alert.device, { class: "plain-link" }, bdi(deviceTitle(alert))), ...words.map((one) => h("span", {}, one)),
    alert.parent && h("span", {}, t("fed_from"), " ", deviceLink(alert.parent, { class: "plain-link" }, bdi(alert.parent))),
    lat !== null && lat !== undefined && h("a", { class: "plain-link", href: `geo:${lat},${lon}?q=${lat},${lon}`, rel: "noreferrer" }, t("directions")))];
}

function placeOf(alert) {
  const { lat, lon } = found.device;
  const status = alert.state === "firing" ? alert.severity : "ok";
  return typeof lat === "number" && whereMap({ lat, lon, title: deviceTitle(alert), status, icon: state.kinds.get(alert.kind)?.icon });
}

function who(alert, order, told) {
  const fact = (name, ...what) => h("div", {}, h("dt", {}, name), h("dd", {}, ...what));
  const reached = told.deliveries.filter((one) => one.state === "delivered");
  return [
    fact(t("has_assigned"), alert.assignee ? bdi(alert.assignee) : t("assign_nobody")),
    fact(t("has_seen"), alert.acknowledged_at ? [bdi(alert.acknowledged_by ?? "–"), " · ", full(new Date(alert.acknowledged_at))] : t("seen_by_nobody")),
    fact(t("has_told"), reached.length ? [...new Set(reached.map((one) => one.person ?? one.channel))].flatMap((one, i) => [i ? ", " : "", bdi(one)]) : t(told.escalation?.waits_for ? "told_waits" : "told_nobody")),
    order && fact(t("has_work"), h("a", { class: "plain-link", href: `/work/${order.id}` }, t("order_number", { order: number(order.id, 0) })), " · ",
      t(`work_${order.state.replaceAll("-", "_")}`), (order.assignee ?? order.team) && [" · ", bdi(order.assignee ?? order.team)].map((one) => one), alert.work_due && [" · ", due(alert)]),
    alert.silenced_until && fact(t("has_silence"), full(new Date(alert.silenced_until))),
  ].filter(Boolean);
}

function facts(alert) {
  const fact = (name, ...what) => h("div", {}, h("dt", {}, name), h("dd", {}, ...what));
  const kind = state.kinds.get(alert.kind);
  return [
    ...alert.terms.map((one) => fact([said(one.label, one.name), one.limit && h("small", {}, ` (${t("limit")})`)], counted(one))),
    fact(t("filter_rule"), bdi(`${alert.rule} (${number(alert.rule_version, 0)})`)),
    fact(t("kind"), said(kind?.title, alert.kind)),
    alert.suppress_by.length > 0 && fact(t("explained_by"), alert.suppress_by.flatMap((one, i) => [i ? ", " : "", bdi(one)])),
    alert.began && fact(t("began"), said(alert.began)),
    fact(t("alert_number"), number(alert.id, 0)),
  ].filter(Boolean);
}

// Truths come as words.
function counted({ name, raw, unit, value: words }) {
  const plain = typeof raw === "number" && words.en !== "yes" && words.en !== "no";
  return plain ? value({ name, unit, type: "number" }, raw) : said(words);
}
