// The alert queue: the worst first, then the newest. Acknowledging says that somebody has seen it, nothing more.

import { $, bdi, h } from "./dom.js";
import { get, post } from "./http.js";
import { ago, full, number, said, t, time, value } from "./i18n.js";
import { badge } from "./icons.js";
import { SEVERITIES, counts, now, putAlert, state } from "./state.js";

const SHOWN = 200;

let chosen = null;
let redraw = () => {};
let openDevice = () => {};
const opened = new Set();
const drafts = new Map();
const fresh = new Set();

// The next drawing of this alert shows that it has just come.
export const welcome = (id) => fresh.add(id);

export function startQueue(handlers) {
  ({ redraw, openDevice } = handlers);
}

export function drawQueue() {
  drawChips();
  const list = $("alerts");
  const focused = document.activeElement?.closest?.("#alerts [data-focus]")?.dataset.focus;
  const selection = document.activeElement?.selectionStart;
  const wanted = [...state.alerts.values()].filter((alert) => !chosen || alert.severity === chosen).sort(order).slice(0, SHOWN);
  if (!wanted.length) {
    // Silence of the whole town is no good news.
    const well = state.loaded && !chosen && counts().reporting > 0;
    const text = t(!state.loaded ? "loading" : chosen ? "alerts_none_found" : well ? "alerts_empty" : "alerts_quiet");
    list.replaceChildren(h("li", { class: `empty${well ? " well" : ""}` }, text));
    return;
  }
  const kept = new Map([...list.children].map((item) => [item.dataset.key, item]));
  list.replaceChildren(...wanted.map((alert) => kept.get(keyOf(alert)) ?? item(alert)));
  updateTimes(list);
  const again = focused && list.querySelector(`[data-focus="${focused}"]`);
  if (again && document.activeElement !== again) {
    again.focus();
    if (selection !== undefined && again.setSelectionRange) again.setSelectionRange(selection, selection);
  }
}

// "5 minutes ago" grows old without any news.
export function updateTimes(root = document) {
  for (const element of root.querySelectorAll("[data-since]")) {
    element.textContent = ago(new Date(element.dataset.since), now());
  }
  for (const element of root.querySelectorAll("[data-until]")) element.hidden = Date.parse(element.dataset.until) <= now();
}

// What another open alert explains comes last: nobody needs to go there.
const order = (a, b) =>
  Boolean(a.inhibited_by) - Boolean(b.inhibited_by) ||
  SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || (a.opened_at < b.opened_at ? 1 : -1);

const keyOf = (alert) =>
  [alert.id, alert.severity, alert.unknown, alert.inhibited_by, alert.acknowledged_at, opened.has(alert.id), alert.summary.en, alert.course?.en, document.documentElement.lang].join(" ");

function drawChips() {
  const { alerts, severities } = counts();
  const chip = (severity, label, count) =>
    h("button", {
      type: "button", class: `chip is-${severity ?? "plain"}`, "aria-pressed": String(chosen === severity),
      onclick: () => { chosen = severity; redraw(); },
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
      h("button", { type: "button", class: "plain-link", "data-focus": `device ${alert.id}`, onclick: () => openDevice(alert.device) }, bdi(alert.device_title)),
      h("time", { datetime: alert.opened_at, title: full(new Date(alert.opened_at)), "data-since": alert.opened_at }),
    ),
    alert.course && h("p", { class: "meta note" }, said(alert.course)),
    alert.inhibited_by && h("p", { class: "meta note" }, t("inhibited", { parent: explanation(alert) })),
    held(alert),
    alert.unknown && h("p", { class: "meta note" }, t("unknown")),
    alert.acknowledged_at && h("p", { class: "meta note" }, t("acknowledged_by", { name: `\u2068${alert.acknowledged_by}\u2069` })),
    opened.has(alert.id) && details(alert),
  ),
  h("div", { class: "actions" },
    !alert.acknowledged_at && h("button", { type: "button", class: "primary", "data-focus": `ack ${alert.id}`, onclick: (event) => acknowledge(alert, event.target) }, t("acknowledge")),
    h("button", {
      type: "button", class: "quiet", "data-focus": `more ${alert.id}`, "aria-expanded": String(opened.has(alert.id)), onclick: () => toggle(alert.id),
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

// The summary in the reader's language, the device's name in it kept from turning round.
export function sentence(alert) {
  const text = said(alert.summary, alert.rule);
  const name = text.includes(alert.device) ? alert.device : alert.device_title;
  return text.split(name).flatMap((part, i) => (i ? [bdi(name), part] : [part]));
}

function toggle(id) {
  if (!opened.delete(id)) opened.add(id);
  redraw();
}

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
    oninput: (event) => drafts.set(alert.id, event.target.value),
  });
  body.value = drafts.get(alert.id) ?? "";
  const send = async (event) => {
    event.preventDefault();
    try {
      await post(`/api/v1/alerts/${alert.id}/comments`, { body: body.value });
      drafts.delete(alert.id);
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
