// Notes on a device: what people wrote about it, the last first, and a place to write one.

import { bdi, h } from "../shell/dom.js";
import { may } from "../shell/frame.js";
import { get, newKey, post } from "../shell/http.js";
import { full, t } from "../shell/i18n.js";

const PAGE = 10;

let box = null;
let url = "";
let found = { items: [], next: null, loaded: false, failed: null };

export function startNotes(element, device) {
  box = element;
  box.hidden = !may("read-names");
  if (box.hidden) return;
  url = `/api/v1/devices/${encodeURIComponent(device)}/notes`;
  found = { items: [], next: `${url}?limit=${PAGE}`, loaded: false, failed: null };
  box.replaceChildren(h("section", { class: "padded" }, h("h2", {}, t("notes")), may("answer-alerts") && form(), h("div", { class: "notes" })));
  more();
}

async function more() {
  const own = found;
  try {
    const { items, next } = await get(own.next);
    Object.assign(own, { items: [...own.items, ...items], next, loaded: true, failed: null });
  } catch (error) {
    own.failed = error.message;
  }
  if (own === found) fill();
}

function fill() {
  box.querySelector(".notes").replaceChildren(...[
    found.items.length ? h("ol", { class: "life" }, found.items.map(row)) : h("p", { class: "meta" }, t(found.loaded ? "notes_none" : "loading")),
    found.failed && h("p", { class: "problem", role: "alert" }, t("failed", { reason: found.failed })),
    found.loaded && found.next && h("button", { type: "button", class: "quiet", onclick: (event) => ((event.target.disabled = true), more()) }, t("show_more")),
  ].filter(Boolean));
}

const row = ({ author, written_at: at, body }) => h("li", { class: "note-row" },
  h("p", { dir: "auto", class: "note-body" }, body), h("small", {}, bdi(author), " · ", h("time", { datetime: at }, full(new Date(at)))));

function form() {
  const own = found;
  let key = newKey(); // of what is written: sent again after a failure, it is one note
  const text = h("textarea", { name: "note", oninput: () => (key = newKey()), required: true, maxlength: 4000, rows: 2, dir: "auto", "aria-label": t("note_write"), placeholder: t("note_write") });
  const button = h("button", { type: "submit" }, t("note_keep"));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  return h("form", { class: "note-form", async onsubmit(event) {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      const written = await post(url, { body: text.value }, key);
      text.value = "";
      key = newKey();
      if (own !== found) return;
      found.items.unshift(written);
      fill();
    } catch (error) {
      problem.textContent = t("failed", { reason: error.message });
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  } }, text, button, problem);
}
