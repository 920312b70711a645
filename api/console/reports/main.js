// Reports: the council's figures, work that is late, the weekly report, and everything as a file.

import { reasonOf } from "../shell/action.js";
import { go, moveLink, place, startAddress } from "../shell/address.js";
import { $, h } from "../shell/dom.js";
import { redraw, startPage } from "../shell/frame.js";
import { language, said, t } from "../shell/i18n.js";
import { state } from "../shell/state.js";

const ADDRESS = {
  read: () => ({}),
  write: () => "/reports",
  query: { part: "part", town: "municipality", days: "days", by: "by", per: "per", week: "week", device: "device" },
};
// Each is loaded when it is looked at.
const PARTS = {
  figures: { text: () => t("part_figures"), load: () => import("./figures.js") },
  late: { text: () => t("part_late"), load: () => import("./late.js") },
  weekly: { text: () => t("part_weekly"), load: () => import("./weekly.js") },
  files: { text: () => t("part_files"), load: () => import("./files.js") },
};

let drawn = null;

const part = () => (place().part in PARTS ? place().part : "figures");

// The municipality that is looked at: the address says which, else the first.
const town = () => (state.towns.has(place().town) ? place().town : [...state.towns.keys()][0]);

function draw() {
  if (!state.loaded) return;
  $("parts").replaceChildren(...Object.entries(PARTS).map(([name, { text }]) =>
    moveLink({ part: name === "figures" ? null : name }, { "aria-current": name === part() && "page" }, text())));
  const key = [part(), town(), language(), ...Object.values(place())].join(" ");
  if (drawn === key) return;
  drawn = key;
  drawTools();
  show(part(), key).catch((error) => {
    if (drawn === key) $("report").replaceChildren(h("p", { class: "problem padded", role: "alert" }, t("failed", { reason: reasonOf(error) })));
  });
}

function drawTools() {
  $("tools").replaceChildren(...[
    state.towns.size > 1 && h("select", { "aria-label": t("municipality"), onchange: (event) => go({ town: event.target.value }) },
      [...state.towns.values()].map(({ name, title }) => h("option", { value: name, selected: name === town() }, said(title, name)))),
    h("button", { type: "button", class: "quiet", onclick: () => print() }, t("print")),
  ].filter(Boolean));
}

async function show(name, key) {
  const { report } = await PARTS[name].load();
  const shown = h("div", { class: `part-${name}` }, h("p", { class: "empty" }, t("loading")));
  $("report").replaceChildren(shown);
  if (!town()) return shown.replaceChildren(h("p", { class: "empty" }, t("no_municipality")));
  await report(shown, { town: town(), current: () => drawn === key });
}

startAddress(ADDRESS, redraw);
await startPage({ draw, load: (known) => known, spoken: () => (drawn = null) });
