// What was not stored, and why, with the bytes that came; and the balance of everything received.

import { deviceLink, go, place } from "../../shell/address.js";
import { bdi, h } from "../../shell/dom.js";
import { field } from "../../shell/forms.js";
import { get } from "../../shell/http.js";
import { number, t } from "../../shell/i18n.js";
import { card, facts, filled, listed, note, padded, since, tag } from "../blocks.js";

const KNOWN = ["bad_topic", "unknown_municipality", "unknown_kind", "unknown_device", "misplaced", "not_your_device", "malformed", "bad_time", "bad_value", "conflict", "quota", "internal"];

export const reasonText = (reason) => (KNOWN.includes(reason) ? h("span", { title: reason }, t(`rejected_${reason}`)) : bdi(reason));

export async function show(root) {
  const query = new URLSearchParams(Object.entries({ device: place().device, reason: place().reason }).filter(([, value]) => value));
  const list = await listed(`/api/v1/rejections?${query}`, [
    { title: t("received"), cell: (one) => since(one.received_at) },
    { title: t("device"), cell: (one) => (one.device ? deviceLink(one.device, { class: "plain-link" }, bdi(one.device)) : "–") },
    { title: t("reason"), cell: (one) => [reasonText(one.reason), h("br"), h("small", {}, bdi([one.pointer, one.detail].filter(Boolean).join(" ")))] },
    { title: t("payload"), cell: (one) => h("details", {}, h("summary", {}, bdi(one.payload.slice(0, 48))), h("p", { class: "hint" }, bdi(one.topic)), h("pre", { class: "code" }, one.payload)) },
    { title: t("state"), cell: (one) => (one.replayed_at ? tag(t("received_again"), "ok") : "–") },
  ], { empty: t("rejections_empty"), caption: t("part_rejections") });
  root.append(card(t("part_rejections"), null, filters(), list), await ledgerCard());
}

const filters = () => h("form", { class: "filters", onsubmit: (event) => {
  event.preventDefault();
  const { device, reason } = event.target.elements;
  go({ device: filled(device.value), reason: filled(reason.value) });
} },
field(t("device"), h("input", { name: "device", dir: "ltr", value: place().device ?? "", maxlength: 128, "data-focus": "device" })),
field(t("reason"), h("input", { name: "reason", dir: "ltr", value: place().reason ?? "", maxlength: 40, list: "reasons", "data-focus": "reason" })),
h("datalist", { id: "reasons" }, KNOWN.map((one) => h("option", { value: one }, t(`rejected_${one}`)))),
h("button", { type: "submit" }, t("filter")));

// received = stored + merged + duplicate + rejected, in words; of one device with the names that it sends.
export async function ledgerCard(device) {
  const found = await get(`/api/v1/ledger${device ? `?device=${encodeURIComponent(device)}` : ""}`).catch((error) => error);
  if (found instanceof Error) return card(t("ledger"), null, padded(note(found.message)));
  const { totals, names } = found;
  const n = (value) => number(value ?? 0, 0);
  return card(t("ledger"), null, padded(
    h("p", {}, t("ledger_said", { received: totals.received, stored: totals.stored, merged: totals.merged, duplicate: totals.duplicate, rejected: totals.rejected })),
    h("p", {}, tag(t(totals.balanced ? "ledger_balanced" : "ledger_unbalanced"), totals.balanced ? "ok" : "critical")),
    facts(Object.entries(totals.reasons).map(([reason, count]) => [reasonText(reason), n(count)])),
    names && Object.keys(names.extra).length > 0 && [
      note(t("names_extra")),
      facts(Object.entries(names.extra).map(([name, count]) => [bdi(name), [n(count), names.hints[name] ? h("small", {}, " ", bdi(names.hints[name])) : ""]])),
    ]));
}
