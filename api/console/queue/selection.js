// Alerts that were chosen to do something with at once.

import { $, fill, h } from "../shell/dom.js";
import { may, redraw } from "../shell/frame.js";
import { localeTag, t, tn } from "../shell/i18n.js";
import { acknowledge, openAssign, openSilence, openWork, run } from "./acts.js";
import { list } from "./list.js";

const chosen = new Set();
let anchor = null;

export const isChosen = (id) => chosen.has(id);

// In the order of the list; those that are no longer in it are not chosen any more.
export function chosenAlerts() {
  const found = list.items.filter(({ id }) => chosen.has(id));
  if (found.length !== chosen.size) {
    chosen.clear();
    for (const { id } of found) chosen.add(id);
  }
  return found;
}

// `through`: all from the last one that was chosen to this.
export function choose(id, { through = false } = {}) {
  const on = !chosen.has(id);
  const numbers = list.items.map((alert) => alert.id);
  const [from, to] = [numbers.indexOf(through ? anchor : id), numbers.indexOf(id)].sort((a, b) => a - b);
  for (const one of from < 0 ? [id] : numbers.slice(from, to + 1)) chosen[on ? "add" : "delete"](one);
  anchor = id;
  redraw();
}

export function chooseNone() {
  if (!chosen.size) return false;
  chosen.clear();
  redraw();
  return true;
}

const chooseAll = () => {
  for (const { id } of list.items) chosen.add(id);
  redraw();
};

export function drawBulk() {
  const alerts = chosenAlerts();
  $("bulk").hidden = !alerts.length;
  if (!alerts.length) return;
  const button = (name, text, work, css = "quiet") =>
    h("button", { type: "button", class: css, "data-bulk": name, onclick: (event) => run(event.currentTarget, () => work(chosenAlerts())) }, text);
  fill($("bulk"), `${alerts.length} ${localeTag()}`, () => [
    h("b", {}, tn("chosen_n", alerts.length)),
    may("answer-alerts") && button("acknowledge", t("acknowledge"), acknowledge, "primary"),
    may("answer-alerts") && button("assign", t(may("assign-alerts") ? "assign_dots" : "take_over"), openAssign),
    may("silence-alerts") && button("silence", t("silence_dots"), openSilence),
    may("direct-work") && button("work", t("work_dots"), openWork),
    button("all", t("choose_all"), chooseAll),
    button("none", t("choose_none"), chooseNone),
  ], "data-bulk");
}
