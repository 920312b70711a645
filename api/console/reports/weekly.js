// The week's report: opened in each language, printed, and had by e-mail.

import { reasonOf } from "../shell/action.js";
import { go, place } from "../shell/address.js";
import { h } from "../shell/dom.js";
import { checkbox, field, select } from "../shell/forms.js";
import { get, put } from "../shell/http.js";
import { day, languages, t, zone } from "../shell/i18n.js";
import { now } from "../shell/state.js";
import { mondayOf, weeksBefore } from "./weeks.js";

const WEEKS = 26;
const DAY_MS = 86_400_000;
const SUBSCRIPTIONS = "/api/v1/session/subscriptions";

export async function report(element, { town, current }) {
  const weeks = weeksBefore(now(), zone(), WEEKS);
  const week = weeks.includes(place().week) ? place().week : weeks[0];
  const address = (lang, format) => `/api/v1/reports/weekly?${new URLSearchParams({ municipality: town, week, lang, ...(format ? { format } : {}) })}`;
  const mail = h("div", { class: "mail" });
  element.replaceChildren(
    h("div", { class: "report-controls" }, field(t("week"), select({ onchange: (event) => go({ week: event.target.value }) },
      weeks.map((one) => [one, `${one} (${day(new Date(mondayOf(one)))} – ${day(new Date(mondayOf(one) + 6 * DAY_MS))})`]), week))),
    h("p", { class: "meta" }, t("weekly_what")),
    h("ul", { class: "files" }, languages().map(({ code, name }) => h("li", {}, h("b", { lang: code }, name),
      h("a", { class: "button", href: address(code), target: "_blank", rel: "noopener" }, t("open_page")),
      h("button", { type: "button", class: "quiet", onclick: (event) => pdf(event.target, address(code, "pdf"), `${town}-${week}-${code}.pdf`) }, "PDF")))),
    h("p", { class: "meta" }, t("pdf_what")),
    mail);
  await subscription(mail, town, current);
}

// Saves the PDF; where none can be made, that is said beside its button.
async function pdf(button, url, name) {
  button.disabled = true;
  button.parentElement.querySelector(".problem")?.remove();
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error((await response.json()).title);
    const link = h("a", { href: URL.createObjectURL(await response.blob()), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), DAY_MS);
  } catch (error) {
    button.after(h("p", { class: "problem", role: "alert" }, t("failed", { reason: reasonOf(error) })));
  }
  button.disabled = false;
}

async function subscription(box, town, current) {
  let found;
  try {
    found = (await get(SUBSCRIPTIONS)).subscriptions;
  } catch {
    return; // programs have no e-mail address
  }
  if (!current()) return;
  const mine = (one) => one.topic === "weekly-report" && one.municipality === town;
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const change = async ({ target }) => {
    target.disabled = true;
    problem.hidden = true;
    const wanted = [...found.filter((one) => !mine(one)), ...(target.checked ? [{ topic: "weekly-report", municipality: town }] : [])];
    try {
      found = (await put(SUBSCRIPTIONS, { subscriptions: wanted })).subscriptions;
    } catch (error) {
      target.checked = !target.checked;
      problem.textContent = reasonOf(error);
      problem.hidden = false;
    } finally {
      target.disabled = false;
    }
  };
  box.replaceChildren(checkbox({ checked: found.some(mine), onchange: change }, t("weekly_by_mail")), problem);
}
