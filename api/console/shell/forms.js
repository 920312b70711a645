// Parts of forms. Labels stand above their control; hints below it.

import { h } from "./dom.js";

export const field = (label, control, hint) => h("label", { class: "field" }, h("span", {}, label), control, hint && h("small", {}, hint));

// `options`: [value, text] each.
export function select(attributes, options, chosen) {
  return h("select", attributes, ...options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
}

export const checkbox = (attributes, label) => h("label", { class: "check" }, h("input", { type: "checkbox", ...attributes }), h("span", {}, label));
