// The guides: one for each kind of reader, in their language. Their text is ours, made from Markdown by the server.

import { reasonOf } from "../shell/action.js";
import { moveLink, place, startAddress } from "../shell/address.js";
import { $, h } from "../shell/dom.js";
import { redraw, startPage } from "../shell/frame.js";
import { language, t } from "../shell/i18n.js";

const GUIDES = {
  operator: () => t("guide_operator"),
  technician: () => t("guide_technician"),
  supervisor: () => t("guide_supervisor"),
  administrator: () => t("guide_administrator"),
};
const USUAL = "operator";

let shown = null;

const chosen = () => (place().guide in GUIDES ? place().guide : USUAL);

function draw() {
  $("guides").replaceChildren(...Object.entries(GUIDES).map(([name, text]) =>
    moveLink({ guide: name }, { "aria-current": name === chosen() && "page" }, text())));
  const wanted = `${chosen()} ${language()}`;
  if (shown === wanted) return;
  shown = wanted;
  show(wanted).catch((error) => $("guide").replaceChildren(h("p", { class: "problem" }, t("failed", { reason: reasonOf(error) }))));
}

async function show(wanted) {
  const response = await fetch(`/console/guide/${chosen()}.html`, { headers: { "Accept-Language": language() } });
  if (!response.ok) throw new Error(response.statusText);
  const text = await response.text();
  if (shown !== wanted) return; // the reader has moved on meanwhile
  const parsed = new DOMParser().parseFromString(text, "text/html");
  $("guide").replaceChildren(...document.adoptNode(parsed.body).childNodes);
  document.querySelector(location.hash || "#guide")?.scrollIntoView();
}

startAddress({ read: ([, guide]) => ({ guide }), write: ({ guide }) => `/guide/${guide || USUAL}`, query: {} }, redraw);
await startPage({ draw });
