// The alert queue: the worst first, then the newest. Acknowledging says that somebody has seen it, nothing more.

import { deviceLink, go, place } from "../shell/address.js";
import { sentence } from "../shell/alerts.js";
import { $, bdi, h, isolated } from "../shell/dom.js";
import { get, post } from "../shell/http.js";
import { full, number, said, t, time, value } from "../shell/i18n.js";
import { badge } from "../shell/icons.js";
import { SEVERITIES, counts, putAlert, state } from "../shell/state.js";
import { updateTimes } from "../shell/times.js";

const SHOWN = 200;
const DRAFTS = "nabd.drafts";

let redraw = () => {};
// What is known of an alert that the address names and that is not open: {id, alert} or {id, failed}.
let past = null;
const drafts = new Map(kept());
const fresh = new Set();

// The next drawing of this alert shows that it has just come.
export const welcome = (id) => fresh.add(id);

export function startQueue(handlers) {
  ({ redraw } = handlers);
}

export function drawQueue() {
  drawChips();
  const list = $("alerts");
  const focused = document.activeElement?.closest?.("#alerts [data-focus]")?.dataset.focus;
  const selection = document.activeElement?.selectionStart;
  const chosen = severity();
  const wanted = [...state.alerts.values()].filter((alert) => !chosen || alert.severity === chosen).sort(order).slice(0, SHOWN);
  const named = namedAlert(wanted);
  if (named) wanted.unshift(named);
  if (!wanted.length && !missingAlert().length) {
    // Silence of the whole town is no good news.
    const well = state.loaded && !chosen && counts().reporting > 0;
    const text = t(!state.loaded ? "loading" : chosen ? "alerts_none_found" : well ? "alerts_empty" : "alerts_quiet");
    list.replaceChildren(h("li", { class: `empty${well ? " well" : ""}` }, text));
    return;
  }
  const kept = new Map([...list.children].map((item) => [item.dataset.key, item]));
  list.replaceChildren(...missingAlert(), ...wanted.map((alert) => kept.get(keyOf(alert)) ?? item(alert)));
  updateTimes(list);
  const again = focused && list.querySelector(`[data-focus="${focused}"]`);
  if (again && document.activeElement !== again) {
    again.focus();
    if (selection !== undefined && again.setSelectionRange) again.setSelectionRange(selection, selection);
  }
}

// The alert of the address where the list lacks it: it is of another severity, further down, or over.
function namedAlert(listed) {
  const id = place().alert;
  if (!id || !state.loaded || listed.some((alert) => alert.id === id)) return null;
  if (state.alerts.has(id)) return state.alerts.get(id);
  if (past?.id !== id) loadPast(id);
  return past.alert;
}

async function loadPast(id) {
  const found = { id };
  past = found;
  try {
    found.alert = await get(`/api/v1/alerts/${id}`);
  } catch (error) {
    found.failed = error.message;
  }
  if (past === found) redraw();
}

// Whatever happens to it is told here too, also where the list is too long for it.
export function hearOfPast(alert) {
  if (past?.id === alert.id) past = { id: alert.id, alert };
}

// After the network was away: what failed is asked again, and what is known may be old.
export function forgetPast() {
  past = null;
}

const missingAlert = () =>
  (past?.failed && past.id === place().alert ? [h("li", { class: "problem", role: "alert" }, t("failed", { reason: past.failed }))] : []);

const severity = () => (SEVERITIES.includes(place().severity) ? place().severity : null);

// What another open alert explains comes last: nobody needs to go there.
const order = (a, b) =>
  Boolean(a.inhibited_by) - Boolean(b.inhibited_by) ||
  SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || (a.opened_at < b.opened_at ? 1 : -1);

const keyOf = (alert) =>
  [alert.id, alert.severity, alert.unknown, alert.inhibited_by, alert.acknowledged_at, place().alert === alert.id, alert.state, alert.summary.en, alert.course?.en, document.documentElement.lang].join(" ");

function drawChips() {
  const { alerts, severities } = counts();
  const chip = (one, label, count) =>
    h("button", {
      type: "button", class: `chip is-${one ?? "plain"}`, "aria-pressed": String(severity() === one), onclick: () => go({ severity: one }),
    }, label, h("b", {}, number(count, 0)));
  const chips = [chip(null, t("severity_all"), alerts), ...SEVERITIES.map((one) => chip(one, t(`severity_${one}`), severities[one]))];
  const focused = [...$("severities").children].indexOf(document.activeElement);
  $("severities").replaceChildren(...chips);
  if (focused >= 0) chips[focused].focus();
}

function item(alert) {
  const icon = state.kinds.get(alert.kind)?.icon;
  return h("li", {
    class: `alert is-${alert.severity}${alert.acknowledged_at || alert.inhibited_by ? " seen" : ""}${fresh.delete(alert.id) ? " fresh" : ""}`, "data-key": keyOf(alert), "data-alert": alert.id,
  },
  badge(icon, alert.severity),
  h("div", { class: "alert-text" },
    h("p", { class: "summary" }, sentence(alert)),
    h("p", { class: "meta" },
      h("span", { class: `tag is-${alert.severity}` }, t(`severity_${alert.severity}`)),
      deviceLink(alert.device, { class: "plain-link", "data-focus": `device ${alert.id}` }, bdi(alert.device_title)),
      h("time", { datetime: alert.opened_at, title: full(new Date(alert.opened_at)), "data-since": alert.opened_at }),
    ),
    alert.course && h("p", { class: "meta note" }, isolated(said(alert.course))),
    alert.inhibited_by && h("p", { class: "meta note" }, t("inhibited", { parent: explanation(alert) })),
    held(alert),
    alert.unknown && h("p", { class: "meta note" }, t("unknown")),
    alert.acknowledged_at && h("p", { class: "meta note" }, t("acknowledged_by", { name: `\u2068${alert.acknowledged_by}\u2069` })),
    alert.resolved_at && h("p", { class: "meta note" }, t("alert_ended", { time: full(new Date(alert.resolved_at)) })),
    place().alert === alert.id && details(alert),
  ),
  h("div", { class: "actions" },
    alert.state === "firing" && !alert.acknowledged_at && h("button", { type: "button", class: "primary", "data-focus": `ack ${alert.id}`, onclick: (event) => acknowledge(alert, event.target) }, t("acknowledge")),
    h("button", {
      type: "button", class: "quiet", "data-focus": `more ${alert.id}`, "aria-expanded": String(place().alert === alert.id), onclick: () => toggle(alert.id),
    }, t("details")),
  ));
}

// Nobody is called before it is sure that no other alert explains this one.
function held({ held_until: until, inhibited_by: inhibited, suppress_by: rules }) {
  if (!until || inhibited) return null;
  return h("p", { class: "meta note", "data-until": until }, t("held", { time: time(new Date(until)), rules: rules.map((one) => `\u2068${one}\u2069`).join(", ") }));
}

// What the alert that explains this one says; its number where it is not among those shown.
function explanation({ inhibited_by }) {
  const parent = state.alerts.get(inhibited_by);
  return parent ? `\u2068${said(parent.summary, parent.rule)}\u2069` : number(inhibited_by, 0);
}

const toggle = (id) => go({ alert: place().alert === id ? null : id });

async function acknowledge(alert, button) {
  button.disabled = true;
  try {
    putAlert(await post(`/api/v1/alerts/${alert.id}/acknowledge`));
    redraw();
  } catch (error) {
    button.disabled = false;
    complain(button, error);
  }
}

// What was typed survives signing in again, which loads the page anew.
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(DRAFTS) ?? "[]");
  } catch {
    return []; // storage may be forbidden
  }
}

function keep(id, text) {
  if (text) drafts.set(id, text);
  else drafts.delete(id);
  try {
    sessionStorage.setItem(DRAFTS, JSON.stringify([...drafts]));
  } catch {
    // as above
  }
}

function complain(element, error) {
  element.closest("li").querySelector(".problem")?.remove();
  element.closest("li").append(h("p", { class: "problem", role: "alert" }, t("failed", { reason: error.message })));
}

function details(alert) {
  const events = h("ol", { class: "events" });
  const terms = h("dl", { class: "values terms" });
  load(alert.id, events, terms);
  const body = h("input", {
    "aria-label": t("comment"), placeholder: t("comment"), maxlength: 4000, required: true, "data-focus": `comment ${alert.id}`,
    oninput: (event) => keep(alert.id, event.target.value),
  });
  body.value = drafts.get(alert.id) ?? "";
  const send = async (event) => {
    event.preventDefault();
    try {
      await post(`/api/v1/alerts/${alert.id}/comments`, { body: body.value });
      keep(alert.id, "");
      body.value = "";
      load(alert.id, events, terms);
    } catch (error) {
      complain(body, error);
    }
  };
  return h("div", { class: "more", "data-details": alert.id },
    Object.keys(alert.runbook).length > 0 && h("p", { class: "runbook" }, h("b", {}, t("runbook")), " ", said(alert.runbook)),
    terms, events,
    h("form", { class: "say", onsubmit: send }, body, h("button", { type: "submit", class: "quiet" }, t("send"))));
}

async function load(id, events, terms) {
  try {
    const { history, terms: told } = await get(`/api/v1/alerts/${id}`);
    terms.replaceChildren(...told.map(term));
    events.replaceChildren(...history.map(line));
  } catch (error) {
    events.replaceChildren(h("li", { class: "problem" }, t("failed", { reason: error.message })));
  }
}

// Called when something happened to an alert whose details are on the screen.
export function refreshDetails(id) {
  const details = document.querySelector(`[data-details="${id}"]`);
  if (details) load(id, details.querySelector(".events"), details.querySelector(".terms"));
}

// One value that made it fire, or the limit it was held against; truths come as words.
function term({ name, label, value: words, raw, unit, limit }) {
  const counted = typeof raw === "number" && words.en !== "yes" && words.en !== "no";
  const text = counted ? value({ name, unit, type: "number" }, raw) : said(words);
  return h("div", { class: "value" }, h("dt", {}, said(label, name), limit && h("small", {}, ` (${t("limit")})`)), h("dd", {}, text));
}

const line = (event) =>
  h("li", {},
    h("time", { datetime: event.at }, full(new Date(event.at))),
    event.type === "comment"
      ? h("span", {}, h("b", {}, bdi(event.author)), " ", h("q", { dir: "auto" }, event.body))
      : h("span", {}, t(`event_${event.type}`, { severity: t(`severity_${event.severity}`), name: `\u2068${event.author ?? ""}\u2069`, assignee: `\u2068${event.body ?? ""}\u2069` }),
        event.type === "declined" && event.body && h("q", { dir: "auto" }, event.body)));
