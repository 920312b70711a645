// Why an alert fired, in words: each part of its rule at the moment of firing, and now.

import { bdi, h } from "../shell/dom.js";
import { get } from "../shell/http.js";
import { language, number, said, t, value } from "../shell/i18n.js";

// Only rules over readings are judged anew; others say what made them fire.
const JUDGED = "stream";

export async function why(element, alert) {
  element.replaceChildren(evidence(alert));
  if (alert.family !== JUDGED) return;
  const ask = (at) => get(`/api/v1/rules/${encodeURIComponent(alert.rule)}/explain?device=${encodeURIComponent(alert.device)}${at ? `&at=${encodeURIComponent(at)}` : ""}`);
  try {
    const [then, today] = await Promise.all([ask(alert.detected_at), ask()]);
    if (then.terms.length || today.terms.length) element.replaceChildren(judged(then, today), sentences(today));
  } catch {
    // What made it fire stands there already.
  }
}

function evidence(alert) {
  if (!alert.terms.length) return h("p", { class: "meta" }, t("why_nothing"));
  return h("ul", { class: "terms" }, alert.terms.map((one) => h("li", {}, said(one.label, one.name), one.limit && ` (${t("limit")})`, ": ", h("b", {}, told(one.raw, one.unit, said(one.value))))));
}

function judged(then, today) {
  const before = new Map(then.terms.map((term) => [term.part + term.text, term]));
  const rows = [...today.terms, ...then.terms.filter((one) => !today.terms.some((term) => term.part + term.text === one.part + one.text))];
  const cell = (term) => h("td", {}, term ? [bdi(told(term.value, "", null)), " ", h("small", { class: `holds ${term.holds}` }, t(`holds_${term.holds}`))] : "–");
  return h("div", { class: "table", tabindex: "0", role: "region", "aria-label": t("why") }, h("table", {},
    h("thead", {}, h("tr", {}, [t("why_part"), t("why_then"), t("why_now")].map((one) => h("th", { scope: "col" }, one)))),
    h("tbody", {}, rows.map((term) => h("tr", {}, h("th", { scope: "row" }, term.said[language()]), cell(before.get(term.part + term.text)), cell(today.terms.includes(term) ? term : null))))));
}

const sentences = (found) => h("ul", { class: "meta sentences" }, (found.sentences[language()] ?? []).slice(1).map((one) => h("li", {}, one)));

function told(raw, unit, words) {
  if (typeof raw === "boolean") return t(raw ? "yes" : "no");
  if (raw === null || raw === undefined) return words ?? "–";
  if (typeof raw !== "number") return String(raw);
  return unit ? value({ name: "", unit, type: "number" }, raw) : words && !/^[-\d.e+]+$/.test(words) ? words : number(raw, 2);
}
