// The numbers at the head of the queue, and in the title of the tab.

import { $, fill, h } from "../shell/dom.js";
import { localeTag, number, t } from "../shell/i18n.js";
import { showUnseen } from "../shell/notice.js";
import { SEVERITIES } from "../shell/state.js";
import { list, sums } from "./list.js";

export function drawCounters() {
  if (!list.open) return;
  const { all, ...severities } = sums(list.open);
  const worst = SEVERITIES.find((severity) => severities[severity].unseen) ?? "ok";
  const { devices, reporting } = list.open;
  fill($("counters"), [localeTag(), devices, reporting, all.alerts, all.unseen, worst].join(" "), () => [
    counter("devices", t("reporting_of", { devices }), reporting, "plain"),
    counter("open_alerts", t("open_alerts"), all.alerts, "plain"),
    counter("unseen", t("unseen"), all.unseen, worst),
  ]);
  showUnseen(all.unseen);
}

const counter = (id, label, count, status) =>
  h("div", { class: `counter is-${status}`, id: `count-${id}` }, h("dt", {}, label), h("dd", {}, number(count, 0)));
