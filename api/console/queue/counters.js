// The numbers in the header.

import { $, h } from "../shell/dom.js";
import { number, t } from "../shell/i18n.js";
import { SEVERITIES, counts } from "../shell/state.js";

export function drawCounters() {
  const { devices, reporting, alerts, severities } = counts();
  const worst = SEVERITIES.find((severity) => severities[severity]) ?? "ok";
  $("counters").replaceChildren(
    counter("devices", t("devices"), devices, "plain"),
    counter("reporting", t("reporting"), reporting, "plain"),
    counter("open_alerts", t("open_alerts"), alerts, worst),
  );
}

const counter = (id, label, count, status) =>
  h("div", { class: `counter is-${status}`, id: `count-${id}` }, h("dt", {}, label), h("dd", {}, number(count, 0)));
