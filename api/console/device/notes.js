// Notes on a device: what people wrote about it, the last first, and a place to write one.

import { reasonOf } from "../shell/action.js";
import { bdi, h } from "../shell/dom.js";
import { may } from "../shell/frame.js";
import { get, newKey, post } from "../shell/http.js";
import { full, t } from "../shell/i18n.js";

const PAGE = 10;

let box = null;
let url = "";
let found = { items: [], next: null, loaded: false, failed: null };
// What is being written, by device: the page is built anew whenever the connection comes back.
const writing = new Map();

export function startNotes(element, device) {
  box = element;
  box.hidden = !may("read-names");
  if (box.hidden) return;
  url = `/api/v1/devices/${encodeURIComponent(device)}/notes`;
  found = { items: [], next: `${url}?limit=${PAGE}`, loaded: false, failed: null };
  box.replaceChildren(h("section", { class: "padded" }, h("h2", {}, t("notes")), may("answer-alerts") && form(device), h("div", { class: "notes" })));
  more();
}

async function more() {
  const own = found;
  try {
    const { items, next } = await get(own.next);
    // What was written here meanwhile may be among them.
    const known = new Set(own.items.map(({ id }) => id));
    Object.assign(own, { items: [...own.items, ...items.filter(({ id }) => !known.has(id))], next, loaded: true, failed: null });
  } catch (error) {
    own.failed = reasonOf(error);
  }
  if (own === found) fill();
}

function fill() {
  box.querySelector(".notes").replaceChildren(...[
    found.items.length ? h("ol", { class: "life" }, found.items.map(row)) : !found.failed && h("p", { class: "meta" }, t(found.loaded ? "notes_none" : "loading")),
    found.failed && h("p", { class: "problem", role: "alert" }, t("failed", { reason: found.failed })),
    (found.loaded || found.failed) && found.next && h("button", { type: "button", class: "quiet", onclick: (event) => ((event.target.disabled = true), more()) }, t(found.failed ? "try_again" : "show_more")),
  ].filter(Boolean));
}

const row = ({ author, written_at: at, body }) => h("li", { class: "note-row" },
  h("p", { dir: "auto", class: "note-body" }, body), h("small", {}, bdi(author), " · ", h("time", { datetime: at }, full(new Date(at)))));

// The field stays the same one, so that whoever writes goes on where they were. Its key is of what is written: sent
// again after a failure, it is one note.
function fieldOf(device) {
  if (!writing.has(device)) {
    const own = { key: newKey() };
    own.text = h("textarea", { name: "note", oninput: () => (own.key = newKey()), required: true, maxlength: 4000, rows: 2, dir: "auto" });
    writing.set(device, own);
  }
  for (const [other, { text }] of writing) if (other !== device && !text.value) writing.delete(other);
  const { text } = writing.get(device);
  text.placeholder = t("note_write");
  text.setAttribute("aria-label", t("note_write"));
  return writing.get(device);
}

function form(device) {
  const own = url;
  const field = fieldOf(device);
  const { text } = field;
  const button = h("button", { type: "submit" }, t("note_keep"));
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  return h("form", { class: "note-form", async onsubmit(event) {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      const written = await post(own, { body: text.value }, field.key);
      text.value = "";
      field.key = newKey();
      if (own !== url) return;
      found.items = [written, ...found.items.filter(({ id }) => id !== written.id)];
      fill();
    } catch (error) {
      problem.textContent = t("failed", { reason: reasonOf(error) });
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  } }, text, button, problem);
}
