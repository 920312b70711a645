// Alerts and work of a device's whole life, a page at a time.

import { reasonOf } from "../shell/action.js";
import { orderLink } from "../shell/address.js";
import { sentence } from "../shell/alerts.js";
import { bdi, h } from "../shell/dom.js";
import { get } from "../shell/http.js";
import { full, t } from "../shell/i18n.js";
import { updateTimes } from "../shell/times.js";

const PAGE = 10;

let lists = [];
let box = null;

// Fills `element` with the alerts and orders of a device.
export function startPast(element, device) {
  box = element;
  const query = `device=${encodeURIComponent(device)}&limit=${PAGE}`;
  lists = [
    { title: () => t("alerts"), empty: () => t("alerts_never"), row: alertRow, items: [], next: `/api/v1/alerts?${query}` },
    { title: () => t("work_orders"), empty: () => t("work_never"), row: orderRow, items: [], next: `/api/v1/work-orders?${query}` },
  ];
  lists.forEach(more);
}

async function more(list) {
  const shown = lists;
  try {
    const { items, next } = await get(list.next);
    Object.assign(list, { items: [...list.items, ...items], next, loaded: true });
  } catch (error) {
    list.failed = reasonOf(error);
  }
  if (lists === shown) fill();
}

function fill() {
  const focused = box.contains(document.activeElement) && document.activeElement.dataset.focus;
  box.replaceChildren(...lists.map((list, i) => h("section", { class: "padded" },
    h("h2", {}, list.title()),
    list.items.length ? h("ol", { class: "life" }, list.items.map(list.row)) : h("p", { class: "meta" }, list.loaded ? list.empty() : t("loading")),
    list.failed && h("p", { class: "problem", role: "alert" }, t("failed", { reason: list.failed })),
    list.loaded && list.next && h("button", {
      type: "button", class: "quiet", "data-focus": `more ${i}`,
      onclick: (event) => {
        event.target.disabled = true;
        more(list);
      },
    }, t("show_more")))));
  updateTimes(box);
  if (focused) box.querySelector(`[data-focus="${focused}"]`)?.focus();
}

export function drawPast() {
  if (box && lists.some(({ loaded }) => loaded) && !box.childElementCount) fill();
}

const when = (instant) => h("time", { datetime: instant }, full(new Date(instant)));

const alertRow = (alert) => h("li", { class: `is-${alert.severity}` },
  h("span", { class: "tag" }, t(`severity_${alert.severity}`)),
  h("a", { class: "plain-link", href: `/alerts/${alert.id}` }, sentence(alert)),
  h("small", {}, when(alert.opened_at), " – ", alert.resolved_at ? when(alert.resolved_at) : t("still_open")));

const orderRow = (order) => h("li", { class: `is-${order.severity}` },
  h("span", { class: "tag" }, t(`order_is_${order.state}`)),
  orderLink(order.id, { class: "plain-link" }, order.title ? bdi(order.title) : bdi(order.rule ?? `#${order.id}`)),
  h("small", {}, when(order.created_at), order.ended_at && [" – ", when(order.ended_at)]));
