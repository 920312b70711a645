// Newest values, each with how much it is to be believed.

import { bdi, h } from "../shell/dom.js";
import { full, said, t, value } from "../shell/i18n.js";
import { handAt } from "./hand.js";

// Returns a tile for each measurement of a newest reading and one for when it was, and what it lacks.
export function values(kind, latest) {
  const shown = kind.measurements.filter((one) => one.name in latest.measurements);
  const missing = kind.measurements.filter((one) => !(one.name in latest.measurements));
  const tiles = h("dl", { class: "values" },
    shown.map((one) => tile(one, latest, one.name === kind.headline)),
    h("div", { class: "value" }, h("dt", {}, t("last_reading")),
      h("dd", { title: full(new Date(latest.observed_at)) }, h("time", { "data-since": latest.observed_at, datetime: latest.observed_at })),
      h("dd", { class: "doubt" }, quality(latest)), handAt(latest.observed_at) && h("dd", { class: "doubt" }, t("entered_by_hand"))));
  const lacks = h("p", { class: "meta missing" }, t("not_in_it"), " ", missing.map((one) => said(one.label, one.name)).join(", "));
  return missing.length ? [tiles, lacks] : [tiles];
}

function tile(one, latest, main) {
  const doubtful = latest.suspect.includes(one.name);
  return h("div", { class: `value${doubtful ? " doubtful" : ""}${main ? " main" : ""}` },
    h("dt", {}, said(one.label, one.name)), h("dd", {}, bdi(value(one, latest.measurements[one.name]))),
    doubtful && h("dd", { class: "doubt" }, t("suspect")));
}

// The quality of a whole reading in words.
const quality = (latest) => t(latest.suspect.length ? "quality_suspect" : latest.quality ? "quality_marked" : "quality_good");
