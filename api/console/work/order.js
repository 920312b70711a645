// One order: what and why, where, until when, who, what happened; the next step under the thumb.

import { reasonOf } from "../shell/action.js";
import { deviceLink, moveLink, place } from "../shell/address.js";
import { sentence } from "../shell/alerts.js";
import { openDialog } from "../shell/dialog.js";
import { bdi, h } from "../shell/dom.js";
import { field, select } from "../shell/forms.js";
import { may, reader, redraw } from "../shell/frame.js";
import { get, post } from "../shell/http.js";
import { full, language, said, t } from "../shell/i18n.js";
import { toast } from "../shell/toast.js";
import { me } from "./answers.js";
import { detailOf, loadMine, loadOrder, refreshAll } from "./orders.js";
import { put, tried, waitingEntries } from "./outbox.js";
import { position } from "./position.js";
import { openReading } from "./reading.js";
import { forgetReport, reportForm, sentReport } from "./report.js";
import { OVER, isPlaced, mayReport, stepsOf } from "./rules.js";
import { directions, dueWords, eventWords, farWords, personWords, severityTag, stateTag, what, when, where } from "./words.js";

let drawn = null;
let mapped = null; // {element, map}
let reporting = null;
// Orders with a step under way: a second tap must not take it twice.
const busy = new Set();
let trouble = null; // {order, text, language}: what went wrong with the last one

export function drawOrder(view) {
  const { order: id } = place();
  const found = detailOf(id);
  // What the platform said is in the language of then.
  if (trouble?.language !== language()) trouble = null;
  const key = JSON.stringify([id, found, waitingEntries().length, reporting, busy.has(id), trouble, language(), Math.floor(Date.now() / 60_000)]);
  if (view.firstChild && key === drawn) return;
  drawn = key;
  const focused = document.activeElement;
  const name = focused?.dataset?.focus;
  view.replaceChildren(back(), ...(found?.order ? shown(found) : [h("p", { class: found ? "problem" : "empty", role: "alert" }, found ? t("failed", { reason: found.failed }) : t("loading"))]));
  // A form that stays is moved, and what was moved has lost the focus.
  if (focused?.isConnected) focused.focus();
  else if (name) view.querySelector(`[data-focus="${name}"]`)?.focus();
}

const back = () => moveLink({ order: null }, { class: "plain-link back", "data-focus": "back" }, t("back_to_work"));

const asReader = () => ({ user: reader().user ?? me(), directs: may("direct-work") });

function shown({ order, alert }) {
  const report = reporting === order.id || order.state === "in-progress";
  return [
    h("article", { class: `order-page is-${order.severity}` },
      h("header", {},
        h("p", { class: "tags" }, severityTag(order), stateTag(order), order.ahead && h("span", { class: "tag is-none" }, t("not_sent_yet")), h("small", {}, t("order_n", { n: order.id }))),
        h("h1", { dir: "auto" }, what(order)),
        h("p", { class: "meta" }, dueWords(order), farWords(order)),
        verification(order)),
      why(order, alert),
      h("section", {}, h("h2", {}, t("place")),
        h("p", { class: "where" }, deviceLink(order.device, { class: "plain-link" }, where(order)), " ", h("small", {}, bdi(order.device))),
        directions(order), map(order),
        may("enter-readings") && h("button", { type: "button", "data-focus": "reading", onclick: () => openReading(order) }, t("enter_reading"))),
      report && mayReport(order, asReader()) && reportForm(order),
      facts(order), reports(order), photos(order), history(order)),
    bar(order, report),
  ].filter(Boolean);
}

// After done: whether readings show that it helped.
function verification({ state, verification: is, verify_until: until, reopened }) {
  if (state === "done" && is) {
    return h("p", { class: `verdict is-${is === "verified" ? "ok" : "warning"}` },
      is === "verified" ? t("verified") : is === "waiting" && until ? t("verified_until", { time: when(until) }) : t("not_verified"));
  }
  return reopened > 0 && !OVER.has(state) && h("p", { class: "verdict is-major" }, t("reopened_why"));
}

function why(order, alert) {
  // Without a title of its own an order is called by what its alert says.
  const same = !order.title;
  if (!alert) return !same && said(order.summary, "") && h("section", {}, h("h2", {}, t("why")), h("p", {}, said(order.summary)));
  if (same && !alert.course && !said(alert.runbook)) return null;
  return h("section", {}, h("h2", {}, t("why")), !same && h("p", {}, sentence(alert)),
    alert.course && h("p", { class: "meta" }, said(alert.course)),
    said(alert.runbook) && h("p", { class: "runbook" }, h("b", {}, t("first_action")), " ", said(alert.runbook)));
}

function map(order) {
  if (!isPlaced(order)) return h("p", { class: "meta" }, t("no_place"));
  if (mapped?.element.dataset.order === String(order.id) && mapped.language === language()) return mapped.element;
  mapped?.map?.remove();
  const button = h("button", { type: "button", onclick: async () => {
    button.disabled = true;
    try {
      const { smallMap } = await import("../map/small.js");
      const { lat, lon, severity } = order;
      const made = await smallMap(element.querySelector(".work-map"), { points: [{ lat, lon, title: what(order), status: severity }], me: position() });
      if (mapped?.element !== element) return made.remove();
      mapped.map = made;
      button.hidden = true;
    } catch (error) {
      button.disabled = false;
      toast(t("failed", { reason: reasonOf(error) }), { failed: true });
    }
    return undefined;
  } }, t("show_map"));
  const element = h("div", { "data-order": order.id }, button, h("div", { class: "work-map" }));
  mapped = { element, map: null, language: language() };
  return element;
}

function facts(order) {
  const row = (name, value) => value && h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return h("section", {}, h("h2", {}, t("people_and_deadlines")), h("dl", { class: "facts" },
    row(t("whose"), personWords(order)),
    row(t("made_by"), order.author && bdi(order.author)),
    row(t("accept_until"), order.response_due_at && when(order.response_due_at)),
    row(t("done_until"), order.repair_due_at && when(order.repair_due_at))));
}

function reports(order) {
  if (!order.reports.length) return null;
  return h("section", {}, h("h2", {}, t("reports_of_work")), order.reports.map((one) => h("div", { class: "told" },
    h("p", { class: "meta" }, one.author && bdi(one.author), " ", when(one.reported_at)),
    one.found && h("p", {}, h("b", {}, t("was_found")), " ", h("q", { dir: "auto" }, one.found)),
    one.done && h("p", {}, h("b", {}, t("did")), " ", h("q", { dir: "auto" }, one.done)),
    one.parts.length > 0 && h("p", {}, h("b", {}, t("parts_used")), " ", one.parts.flatMap((part, i) => [i ? ", " : "", bdi(`${part.quantity} ${part.unit} ${part.name}`)])),
    one.checklist.map((item) => h("p", { class: "meta" }, said(order.checklist.find(({ name }) => name === item.item)?.label, item.item), ": ", t(`check_${item.answer}`), item.remark && [" ", h("q", { dir: "auto" }, item.remark)])))));
}

function photos(order) {
  if (!order.photos.length) return null;
  return h("section", {}, h("h2", {}, t("photos")), h("div", { class: "photos" }, order.photos.map(({ id, author, created_at: at }) =>
    h("a", { href: `/api/v1/work-orders/${order.id}/photos/${id}`, target: "_blank" },
      h("img", { src: `/api/v1/work-orders/${order.id}/photos/${id}`, alt: t("photo_of", { name: author ?? "", time: when(at) }), loading: "lazy" })))));
}

function history(order) {
  return h("details", { class: "history" }, h("summary", {}, t("history")), h("ol", {}, order.events.map((event) => h("li", {},
    h("time", { datetime: event.happened_at, title: full(new Date(event.happened_at)) }, when(event.happened_at)), " ", eventWords(event),
    (event.body.reason || event.body.text) && [" ", h("q", { dir: "auto" }, event.body.reason ?? event.body.text)]))),
  h("button", { type: "button", class: "quiet", onclick: () => writeDialog(order) }, t("write_comment")));
}

// The steps at the bottom of the screen: the next one is the big one.
function bar(order, report) {
  const allowed = stepsOf(order, asReader());
  // Who reports may leave the steps before it out.
  const steps = report && mayReport(order, asReader()) ? ["done", ...allowed.filter((step) => step !== "done")] : allowed;
  const directs = may("direct-work") && !OVER.has(order.state);
  if (!steps.length && !directs) return null;
  const [next, ...others] = steps;
  return h("footer", { class: "steps" },
    h("p", { class: "problem", role: "alert", hidden: trouble?.order !== order.id }, trouble?.text),
    next && stepButton(order, next, "primary"),
    h("div", { class: "steps-more" },
      others.map((step) => stepButton(order, step, "quiet")),
      !report && mayReport(order, asReader()) && h("button", { type: "button", class: "quiet", "data-focus": "report", onclick: () => openReport(order) }, t("report")),
      directs && h("button", { type: "button", class: "quiet", "data-focus": "assign", onclick: () => assignDialog(order) }, t("give_to")),
      directs && h("button", { type: "button", class: "quiet", "data-focus": "cancel", onclick: () => reasonDialog(order, "cancel") }, t("cancel_order"))));
}

function openReport(order) {
  reporting = order.id;
  redraw();
}

function stepButton(order, step, kind) {
  return h("button", { type: "button", class: `step ${kind}`, "data-focus": `step ${kind}`, "data-step": step, "aria-disabled": busy.has(order.id) && "true", onclick: () => (step === "decline" ? reasonDialog(order, step) : takeStep(order, step)) }, t(`do_${step}`));
}

// The button may be drawn anew meanwhile: what is under way, and what went wrong, is kept beside it.
async function takeStep(order, step) {
  if (busy.has(order.id)) return;
  busy.add(order.id);
  trouble = null;
  redraw();
  try {
    await (step === "done" ? finish(order) : take(order, step, {}));
  } catch (error) {
    trouble = { order: order.id, text: reasonOf(error), language: language() };
  }
  busy.delete(order.id);
  redraw();
}

// Takes a step: it is kept, then sent; without network it waits.
async function take(order, step, body) {
  const id = await put({ order: order.id, group: `order ${order.id}`, step, url: `/api/v1/work-orders/${order.id}/${step}`, body });
  tellOf(await tried(id));
}

function tellOf(entry) {
  if (entry && !entry.problem) toast(t("kept_for_network"));
  if (entry?.problem) throw new Error(t("platform_refused"));
}

// Photos go first: when the report is there, they are too.
async function finish(order) {
  const { body, files } = await sentReport(order);
  const group = `order ${order.id}`;
  for (const file of files) await put({ order: order.id, group, step: "photo", url: `/api/v1/work-orders/${order.id}/photos`, file });
  const id = await put({ order: order.id, group, step: "done", url: `/api/v1/work-orders/${order.id}/done`, body });
  await forgetReport(order);
  reporting = null;
  tellOf(await tried(id));
}

function reasonDialog(order, step) {
  openDialog({
    title: step === "cancel" ? t("cancel_order") : t("do_decline"),
    body: field(t("reason"), h("textarea", { name: "reason", required: true, maxlength: 500, rows: 3, dir: "auto" })),
    label: t("send"),
    submit: ({ reason }) => take(order, step, { reason }),
  });
}

function writeDialog(order) {
  openDialog({
    title: t("write_comment"),
    body: field(t("comment"), h("textarea", { name: "text", required: true, maxlength: 4000, rows: 4, dir: "auto" })),
    label: t("send"),
    submit: async ({ text }) => {
      const id = await put({ order: order.id, group: `order ${order.id}`, step: "comment", url: `/api/v1/work-orders/${order.id}/comments`, body: { text } });
      tellOf(await tried(id));
    },
  });
}

// Giving it to somebody needs the platform: who could do it is known there.
async function assignDialog(order) {
  const [fresh, teams] = await Promise.all([get(`/api/v1/work-orders/${order.id}`), get("/api/v1/teams?limit=200")].map((one) => one.catch(() => null)));
  const people = (fresh ?? order).suggested ?? [];
  const known = ({ name, display_name: shownName, open_orders: n, knows_kind: kind, knows_district: district }) =>
    [name, t("suggested", { name: shownName || name, n, fits: kind || district ? "✓" : "" }).trim()];
  // Whoever has it stands there too: choosing a team alone takes it from nobody.
  const present = order.assignee && !people.some(({ name }) => name === order.assignee) ? [[order.assignee, order.assignee]] : [];
  openDialog({
    title: t("give_to"),
    body: h("div", { class: "fields" },
      field(t("person"), select({ name: "assignee" }, [["", t("nobody")], ...present, ...people.map(known)], order.assignee ?? "")),
      field(t("team"), select({ name: "team" }, [["", t("no_team")], ...(teams?.items ?? []).map(({ name, title }) => [name, said(title, name)])], order.team ?? ""))),
    label: t("give"),
    submit: async ({ assignee, team }) => {
      await post(`/api/v1/work-orders/${order.id}/assign`, { assignee: assignee || null, team: team || null, version: (fresh ?? order).version });
      refreshAll();
      await loadOrder(order.id);
      loadMine().catch(() => {});
      const back_ = { assignee: order.assignee, team: order.team };
      toast(t("given"), { label: t("undo"), action: () => post(`/api/v1/work-orders/${order.id}/assign`, back_).then(() => loadOrder(order.id)).catch((error) => toast(t("failed", { reason: reasonOf(error) }), { failed: true })) });
    },
  });
}
