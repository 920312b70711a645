// Days of the week in the reader's language; 1 is Monday.

import { localeTag } from "../shell/i18n.js";

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

// 2024-01-01 was a Monday.
export const dayName = (day, style = "long") =>
  new Intl.DateTimeFormat(localeTag(), { weekday: style, timeZone: "UTC" }).format(new Date(Date.UTC(2024, 0, day)));

// A day written as 2026-03-01.
export const dayText = (iso, parts = { weekday: "short", day: "numeric", month: "long", year: "numeric" }) =>
  new Intl.DateTimeFormat(localeTag(), { ...parts, timeZone: "UTC" }).format(new Date(`${iso}T00:00:00Z`));
