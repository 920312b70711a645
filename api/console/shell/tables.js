// A table that scrolls in its own box on a narrow screen, or whose rows are cards there (`stacked`); a row may lead somewhere.

import { h } from "./dom.js";

// `columns`: {title, cell(item) → children, number}; `empty` is said where there is nothing.
export function table(columns, items, { empty, caption, stacked = false }) {
  if (!items.length) return h("p", { class: "empty" }, empty);
  return h("div", { class: stacked ? "table stacked" : "table", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {},
      h("thead", {}, h("tr", {}, columns.map(({ title, number }) => h("th", { scope: "col", class: number && "number" }, title)))),
      h("tbody", {}, items.map((item) => h("tr", {}, columns.map(({ title, cell, number }) => h("td", { class: number && "number", "data-title": stacked && title }, cell(item))))))));
}
