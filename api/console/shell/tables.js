// A table that scrolls in its own box on a narrow screen; a row may lead somewhere.

import { h } from "./dom.js";

// `columns`: {title, cell(item) → children, number}; `empty` is said where there is nothing.
export function table(columns, items, { empty, caption }) {
  if (!items.length) return h("p", { class: "empty" }, empty);
  return h("div", { class: "table", tabindex: "0", role: "region", "aria-label": caption },
    h("table", {},
      h("thead", {}, h("tr", {}, columns.map(({ title, number }) => h("th", { scope: "col", class: number && "number" }, title)))),
      h("tbody", {}, items.map((item) => h("tr", {}, columns.map(({ cell, number }) => h("td", { class: number && "number" }, cell(item))))))));
}
