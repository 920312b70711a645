// The fields of what something is called in each language.

import { h } from "./dom.js";
import { field } from "./forms.js";
import { languages, t } from "./i18n.js";

export const titleFields = (titles = {}, longest = 100) => h("div", { class: "fields" },
  languages().map(({ code, name }) => field(t("title_in", { language: name }), h("input", { name: `title_${code}`, lang: code, dir: "auto", maxlength: longest, value: titles[code] ?? "" }))));

// The titles of every language, empty where there is none: as they were.
export const everyTitle = (titles) => Object.fromEntries(languages().map(({ code }) => [code, titles[code] ?? ""]));

// What was entered; `all`: what was left empty too, which takes away what there was.
export const titleSaid = (values, all = false) =>
  Object.fromEntries(languages().map(({ code }) => [code, values[`title_${code}`].trim()]).filter(([, text]) => text || all));
