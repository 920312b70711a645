// The reader's language: sentences, numbers, times and direction.
//
// Arabic is several locales: the municipality's decides on digits. Units stay in their international symbols.

const LANGUAGES = ["en", "fr", "ar"];
const NAMES = { en: "English", fr: "Français", ar: "العربية" };
const LOCALES = { en: "en-GB", fr: "fr", ar: "ar-LB" };
// CLDR: Lebanon and Palestine write Arabic-Indic digits, Libya and Morocco Latin ones.
const DIGITS = { "ar-LB": "arab", "ar-PS": "arab", "ar-LY": "latn", "ar-MA": "latn" };
const UNITS = {
  Cel: "°C", deg: "°", "[ppm]": "ppm", "dB[mW]": "dBm", "kW.h": "kWh", "L/har": "L/ha", "m/s2": "m/s²", 1: "",
};

let chosen = "en";
let sentences = {};
let locale = "en-GB";
let timeZone;
let formats = {};

export const languages = () => LANGUAGES.map((code) => ({ code, name: NAMES[code] }));
export const language = () => chosen;
export const direction = () => (chosen === "ar" ? "rtl" : "ltr");

export function preferred() {
  const wanted = [remembered(), ...navigator.languages];
  for (const tag of wanted) {
    const primary = (tag ?? "").toLowerCase().split("-")[0];
    if (LANGUAGES.includes(primary)) return primary;
  }
  return "en";
}

function remembered() {
  try {
    return localStorage.getItem("nabd.language");
  } catch {
    return null; // storage may be forbidden; the choice then lasts as long as the page
  }
}

export async function use(code) {
  const response = await fetch(`/console/i18n/${code}.json`);
  sentences = await response.json();
  chosen = code;
  try {
    localStorage.setItem("nabd.language", code);
  } catch {
    // as above
  }
  document.documentElement.lang = code;
  document.documentElement.dir = direction();
  place({});
}

// The municipality decides on the time zone and, in Arabic, on the locale.
export function place(town) {
  timeZone = town.time_zone ?? timeZone;
  town = { ...place.last, ...town };
  place.last = town;
  const own = town.locale?.startsWith("ar") && chosen === "ar" ? town.locale : LOCALES[chosen];
  locale = chosen === "ar" ? `${own}-u-nu-${DIGITS[own] ?? "arab"}` : own;
  formats = {
    time: new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone }),
    day: new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone }),
    full: new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", timeZone }),
    ago: new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" }),
  };
}

export function t(key, values = {}) {
  const sentence = sentences[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// A text by language as the API sends it.
export const said = (text, fallback = "") => text?.[chosen] ?? text?.en ?? fallback;

export function number(value, digits = 1) {
  // The Arabic mark before a minus would move the sign behind the number where unit and number run left to right.
  return new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value).replace("\u061c", "");
}

export function distance(metres) {
  const far = metres >= 1000;
  const format = new Intl.NumberFormat(locale, { style: "unit", unit: far ? "kilometer" : "meter", unitDisplay: "short" });
  return format.format(far ? metres / 1000 : metres);
}

export const unit = (ucum) => UNITS[ucum] ?? ucum;

export function value(measurement, raw) {
  if (raw === null || raw === undefined) return "–";
  if (measurement.type === "boolean") return t(raw ? "yes" : "no");
  if (measurement.type === "text") return String(raw);
  const digits = Math.abs(raw) >= 100 ? 0 : Math.abs(raw) >= 10 ? 1 : 2;
  const text = number(raw, measurement.unit === "deg" && measurement.name.length === 3 ? 5 : digits);
  const symbol = unit(measurement.unit);
  // First-strong isolation keeps "12.5 °C" in one piece inside an Arabic line.
  return symbol ? `\u2066${text}\u00a0${symbol}\u2069` : text;
}

export const time = (date) => formats.time.format(date);
export const day = (date) => formats.day.format(date);
export const full = (date) => formats.full.format(date);

export function ago(date, now) {
  const seconds = (date - now) / 1000;
  const steps = [[60, "second", 1], [3600, "minute", 60], [86400, "hour", 3600], [Infinity, "day", 86400]];
  const [, name, size] = steps.find(([limit]) => Math.abs(seconds) < limit);
  return formats.ago.format(Math.round(seconds / size), name);
}

// Fills in what the page itself says.
export function translatePage() {
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
  for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = t(element.dataset.placeholder);
}
