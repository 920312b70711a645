// Numbers as people type them: digits of either script in groups or not, a comma or a point. NaN where it is none.

import { groupsByComma } from "./i18n.js";

const GROUPED = /^([-+]?\d{1,3})((?:[ \u00a0\u202f\u066c]\d{3})+)(?=$|[.,\u066b])/;
const NUMBER = /^[-+]?(?:\d+(?:[.,\u066b]\d*)?|[.,\u066b]\d+)$/;
const EITHER = /^[-+]?[1-9]\d{0,2},\d{3}$/;

// Digits of one script, without marks of direction.
const plain = (text) => text.replace(/[\u061c\u200e\u200f\u2066-\u2069]/g, "").trim().replace("\u2212", "-")
  .replace(/[\u0660-\u0669]/g, (one) => one.charCodeAt(0) - 0x660);

// "1,204" is two numbers where the reader's language groups by commas. `grouped`: whether it does.
export const isEither = (text, grouped = groupsByComma()) => grouped && EITHER.test(plain(text));

export function numberOf(text, grouped = groupsByComma()) {
  const typed = plain(text).replace(GROUPED, (_, first, groups) => first + groups.replace(/\D/g, ""));
  if (!NUMBER.test(typed) || isEither(typed, grouped)) return NaN;
  return Number(typed.replace(/[,\u066b]/, "."));
}
