// How figures are written: a dash where there is nothing to say.

import { number, t, tn } from "../shell/i18n.js";

export const AIM = 0.8;

export const count = (value) => (value === null || value === undefined ? "–" : number(value, 0));

export const share = (value) => (value === null || value === undefined ? "–" : t("percent", { n: number(value * 100, 0) }));

// A length of time in the unit that suits it.
export function length(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 5400) return tn("minutes", Math.round(seconds / 60));
  if (seconds < 172_800) return tn("hours", Math.round(seconds / 360) / 10);
  return tn("days", Math.round(seconds / 8640) / 10);
}
