// The numbers in the header.

import { $, h } from "./dom.js";
import { number, t } from "./i18n.js";
import { SEVERITIES, counts } from "./state.js";

export function drawCounters() {
  const { devices, reporting, alerts, severities } = counts();
  const worst = SEVERITIES.find((severity) => severities[severity]) ?? "ok";
  $("counters").replaceChildren(
    counter("devices", devices, "plain"),
    counter("reporting", reporting, "plain"),
    counter("open_alerts", alerts, worst),
  );
}

const counter = (key, count, standing) =>
  h("div", { class: `counter is-${standing}`, id: `count-${key}` }, h("dt", {}, t(key)), h("dd", {}, number(count, 0)));
