// How orders are said: what, where, when it is due, what happened.

import { bdi, h } from "../shell/dom.js";
import { ago, day, deviceTitle, distance, full, numerals, said, t, time, zone } from "../shell/i18n.js";
import { dayOf } from "../shell/moments.js";
import { position } from "./position.js";
import { deadline, farFrom, isPlaced } from "./rules.js";
import { instant } from "./clock.js";

// A link that the reader may follow; the page itself asks nothing of any other host.
const DIRECTIONS = "https://www.openstreetmap.org/directions";

export const what = (order) => order.title || spelled(order) || t("order_n", { n: order.id });

// What its first alert says, in the reader's digits; those of the device's name stay.
function spelled(order) {
  const text = said(order.summary, "");
  const name = text.includes(order.device) ? order.device : deviceTitle(order);
  return name ? text.split(name).map(numerals).join(name) : numerals(text);
}

// Title, street and district of the place, as far as they are known.
export function where(order) {
  const parts = [deviceTitle(order), said(order.street_title), said(order.district_title)].filter(Boolean);
  return parts.flatMap((part, i) => (i ? [" · ", bdi(part)] : [bdi(part)]));
}

export const stateTag = (order) => h("span", { class: "tag is-plain" }, t(`work_state_${order.state}`));

export const severityTag = (order) => h("span", { class: `tag is-${order.severity}` }, t(`severity_${order.severity}`));

// When the next thing is due, in words; what is late is marked.
export function dueWords(order) {
  const due = deadline(order, instant());
  if (!due) return null;
  const when = ago(new Date(due.at), instant());
  const text = due.late
    ? t(due.name === "response" ? "accept_late" : "due_late", { when })
    : t(due.name === "response" ? "accept_by" : "due_when", { when });
  return h("span", { class: due.late ? "due late" : "due", title: full(new Date(due.at)) }, text);
}

export function farWords(order) {
  const far = farFrom(order, position());
  return far === null ? null : h("span", {}, bdi(distance(far)));
}

// The time of today, by the clocks of the town, else the day too.
export const when = (at) => (dayOf(instant(), zone()) === dayOf(Date.parse(at), zone()) ? time(new Date(at)) : `${day(new Date(at))}, ${time(new Date(at))}`);

export function eventWords({ type, author, body }) {
  const own = (name) => (name ? `\u2068${name}\u2069` : t("some_person"));
  const to = [body.assignee, body.team].filter(Boolean).map(own).join(", ") || t("nobody");
  return t(`work_event_${type}`, { name: author ? own(author) : t("the_platform"), to, alert: body.alert ?? "" });
}

export const personWords = (order) => (order.assignee || order.team
  ? [order.assignee, order.team].filter(Boolean).flatMap((name, i) => (i ? [", ", bdi(name)] : [bdi(name)]))
  : [t("nobody")]);

// Ways to the place: the phone's own maps, and a web page.
export function directions(order) {
  if (!isPlaced(order)) return null;
  const to = `${order.lat.toFixed(6)},${order.lon.toFixed(6)}`;
  return h("p", { class: "ways" },
    h("a", { class: "way", href: `geo:${to}?q=${to}` }, t("open_in_maps")),
    h("a", { class: "way", href: `${DIRECTIONS}?to=${encodeURIComponent(to)}`, target: "_blank", rel: "noopener noreferrer" }, t("directions")));
}
