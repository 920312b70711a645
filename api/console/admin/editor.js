// A text of YAML that is judged half a second after the last key; each mistake leads to its line.

import { reasonOf } from "../shell/action.js";
import { bdi, h } from "../shell/dom.js";
import { t } from "../shell/i18n.js";

const JUDGE_AFTER_MS = 500;

// `judge` is given the text and returns warnings; it throws what the API says of mistakes; false: nobody judges.
export function textEditor({ label, text, readonly, judge }) {
  const area = h("textarea", { class: "code", spellcheck: "false", "aria-label": label, dir: "ltr", readonly, oninput: later });
  const said = h("ul", { class: "problems", role: "status" });
  let timer;
  let turn = 0;
  // What was typed outlives a sign-in that ran out; what was applied meanwhile by others is not hidden by it.
  const key = `nabd.text ${location.pathname}`;
  const kept = readonly ? null : sessionStorage.getItem(key);
  area.value = kept ?? text;
  const draft = h("p", { class: "hint", hidden: kept === null || kept === text }, t("draft_kept"), " ",
    h("button", { type: "button", onclick: () => set(text) }, t("draft_drop")));
  function keep() {
    if (area.value === text) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, area.value);
  }
  function set(value) {
    area.value = value;
    draft.hidden = true;
    later();
  }
  function later() {
    keep();
    clearTimeout(timer);
    if (judge) timer = setTimeout(judged, JUDGE_AFTER_MS);
  }
  async function judged() {
    if (!area.value.trim()) return said.replaceChildren();
    const mine = ++turn;
    try {
      const warnings = await judge(area.value);
      if (mine !== turn) return;
      said.replaceChildren(h("li", { class: "well" }, t("text_right")), ...warnings.map((one) => h("li", { class: "hint" }, bdi(one))));
    } catch (error) {
      if (mine !== turn) return;
      said.replaceChildren(...(error.errors ?? [{ detail: reasonOf(error) }]).map(mistake));
    }
  }
  const mistake = ({ line, column, detail, suggestion }) => h("li", {}, h("button", { type: "button", class: "plain-link problem", onclick: () => show(line, column ?? 1) },
    line ? t("mistake_at", { line, column: column ?? 1 }) : "", " ", bdi([detail, suggestion].filter(Boolean).join(" · "))));
  function show(line, column) {
    if (!line) return;
    const lines = area.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + Math.max(0, column - 1);
    area.focus();
    area.setSelectionRange(start, start + 1);
    area.scrollTop = area.scrollHeight * ((line - 3) / lines.length);
  }
  return { element: h("div", { class: "files" }, draft, area, said), text: () => area.value, set, done: () => sessionStorage.removeItem(key) };
}
