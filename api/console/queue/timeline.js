// Everything that happened to an alert, in its order: what was observed, who was told and answered, what was done.

import { bdi, h } from "../shell/dom.js";
import { full, number, t } from "../shell/i18n.js";

// Shown where something was late: the instants differ by more.
const LATE_MS = 60_000;

const name = (text) => `\u2068${text ?? t("platform")}\u2069`;

export function timeLine(alert, told, order) {
  const lines = [
    ...alert.history.map((event) => ({ at: event.at, ...ofAlert(event) })),
    ...told.deliveries.map(ofDelivery),
    ...(order?.events ?? []).map((event) => ofWork(event, order)),
  ].filter((line) => line.text);
  lines.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return lines.map(({ at, text, css = "" }) => h("li", { class: css }, h("time", { datetime: at }, full(new Date(at))), h("span", {}, text)));
}

function ofAlert(event) {
  if (event.type === "comment") return { css: "said", text: [h("b", {}, bdi(event.author ?? t("somebody"))), " ", h("q", { dir: "auto" }, event.body ?? "…")] };
  const values = { severity: t(`severity_${event.severity}`), name: name(event.author), assignee: name(event.body) };
  const text = [t(`event_${event.type}`, values)];
  if (event.type === "declined" && event.body) text.push(" ", h("q", { dir: "auto" }, event.body));
  if (event.observed_at) text.push(" ", h("small", {}, observed(event)));
  return { text };
}

// Device's time, and ours where it came late.
function observed({ observed_at: seen, received_at: received, at }) {
  const came = received ?? at;
  const when = full(new Date(seen));
  return Date.parse(came) - Date.parse(seen) > LATE_MS ? t("observed_received", { observed: when, received: full(new Date(came)) }) : t("observed", { time: when });
}

function ofDelivery({ created_at: created, handed_over_at: handed, person, channel, state, answer, occasion }) {
  const values = { name: `\u2068${person ?? t("somebody")}\u2069`, channel: `\u2068${channel}\u2069` };
  const key = state.replaceAll("-", "_");
  const text = [t(`told_${key}`, values)];
  if (answer && state !== "delivered") text.push(" ", h("small", {}, bdi(answer)));
  if (occasion === "resolved") text.push(" ", h("small", {}, t("told_end")));
  return { at: handed ?? created, text };
}

function ofWork({ type, author, body, happened_at: at }, order) {
  const key = type.replaceAll("-", "_");
  const whom = body.assignee ?? body.team;
  const values = { name: name(author), order: number(order.id, 0), whom: `\u2068${whom ?? "–"}\u2069` };
  const text = [t(`order_event_${key}`, values)];
  if (body.reason) text.push(" ", h("q", { dir: "auto" }, body.reason));
  if (body.text) text.push(" ", h("q", { dir: "auto" }, body.text));
  if (type === "done") {
    const report = order.reports.find((one) => one.number === body.report) ?? order.reports.at(-1);
    for (const words of [report?.found, report?.done]) if (words) text.push(" ", h("q", { dir: "auto" }, words));
  }
  return { at, text };
}
