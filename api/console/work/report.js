// The report: checklist of the kind, what was found and done, parts, photos. What is typed and taken is kept on
// the phone until it is sent.

import { h } from "../shell/dom.js";
import { field } from "../shell/forms.js";
import { dropValue, keepValue, readValue } from "../shell/kept.js";
import { language, said, t } from "../shell/i18n.js";
import { compressed } from "./photos.js";
import { reportOf } from "./rules.js";

const ANSWERS = ["yes", "no", "not-applicable"];
const MOST_PHOTOS = 20;

let shown = null;

const nameOf = (order) => `draft ${order.id}`;

// The form of an order; the same element as long as order and language are the same.
export function reportForm(order) {
  if (shown?.id === order.id && shown.language === language()) return shown.element;
  shown = { id: order.id, language: language(), element: h("form", { class: "report", onsubmit: (event) => event.preventDefault() }), draft: empty() };
  fill(shown, order);
  return shown.element;
}

const empty = () => ({ found: "", done: "", parts: [], answers: {}, photos: [] });

async function fill(own, order) {
  own.ready = readValue(nameOf(order)).catch(() => null);
  own.draft = { ...empty(), ...(await own.ready) };
  const { draft, element } = own;
  const keep = () => keepValue(nameOf(order), draft).catch(() => {});
  element.replaceChildren(
    h("h2", {}, t("report")),
    ...order.checklist.map((item) => check(item, draft, keep)),
    text("found", t("was_found"), draft, keep), text("done", t("did"), draft, keep),
    parts(draft, keep), photos(draft, keep));
}

function check({ name, label }, draft, keep) {
  const answer = (draft.answers[name] ??= { answer: null, remark: "" });
  const remark = h("input", { "aria-label": t("remark"), placeholder: t("remark"), maxlength: 4000, dir: "auto", hidden: answer.answer !== "no", oninput: (event) => ((answer.remark = event.target.value), keep()) });
  remark.value = answer.remark;
  const choose = (value) => () => {
    answer.answer = value;
    remark.hidden = value !== "no";
    keep();
  };
  return h("fieldset", { class: "check-item", "data-item": name }, h("legend", {}, said(label, name)),
    h("div", { class: "answers" }, ANSWERS.map((value) => h("label", { class: "answer" },
      h("input", { type: "radio", name: `check ${name}`, value, checked: answer.answer === value, onchange: choose(value) }), h("span", {}, t(`check_${value}`))))), remark);
}

function text(name, label, draft, keep) {
  const box = h("textarea", { name, rows: 3, maxlength: 4000, dir: "auto", oninput: (event) => ((draft[name] = event.target.value), keep()) });
  box.value = draft[name];
  return field(label, box);
}

function parts(draft, keep) {
  const rows = h("div", { class: "parts" });
  const draw = () => rows.replaceChildren(...draft.parts.map((part, i) => h("div", { class: "part" },
    input(part, "name", t("part_name"), keep), input(part, "quantity", t("quantity"), keep, { inputmode: "decimal" }), input(part, "unit", t("part_unit"), keep),
    h("button", { type: "button", class: "quiet", "aria-label": t("take_away"), onclick: () => (draft.parts.splice(i, 1), keep(), draw()) }, "✕"))));
  draw();
  return h("div", { class: "field" }, h("span", {}, t("parts_used")), rows,
    h("button", { type: "button", class: "add", onclick: () => (draft.parts.push({ name: "", quantity: "1", unit: "" }), draw(), rows.lastChild.querySelector("input").focus()) }, t("add_part")));
}

function input(part, name, label, keep, more = {}) {
  const box = h("input", { "aria-label": label, placeholder: label, class: name, dir: "auto", maxlength: 60, ...more, oninput: (event) => ((part[name] = event.target.value), keep()) });
  box.value = part[name];
  return box;
}

function photos(draft, keep) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const previews = h("div", { class: "photos" });
  const draw = () => previews.replaceChildren(...draft.photos.map((photo, i) => h("figure", {}, h("img", { src: photo.preview, alt: t("photo_number", { n: i + 1 }) }),
    h("button", { type: "button", "aria-label": t("take_away"), onclick: () => (draft.photos.splice(i, 1), keep(), draw()) }, "✕"))));
  const take = h("input", { type: "file", accept: "image/*", capture: "environment", class: "unseen", onchange: async () => {
    problem.hidden = true;
    const [file] = take.files;
    take.value = "";
    if (!file) return;
    try {
      draft.photos.push(await compressed(file));
      await keep();
      draw();
    } catch {
      problem.hidden = false;
      problem.textContent = t("photo_unreadable");
    }
  } });
  draw();
  return h("div", { class: "field" }, h("span", {}, t("photos")), previews,
    draft.photos.length < MOST_PHOTOS && h("label", { class: "add take" }, take, h("span", {}, t("take_photo"))), problem);
}

// What is to be sent: {body, files}. Raises where it is not said what was done.
export async function sentReport(order) {
  const own = shown?.id === order.id ? shown : null;
  await own?.ready;
  const draft = own?.draft ?? empty();
  const body = reportOf(draft);
  if (!body.done) throw new Error(t("say_what_was_done"));
  return { body, files: draft.photos.map(({ file }) => file) };
}

export async function forgetReport(order) {
  shown = null;
  await dropValue(nameOf(order)).catch(() => {});
}
