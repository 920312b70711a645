// The reader's language: texts, numbers, times and direction.
//
// Texts come from the catalogue in the language that suits the reader best (api/pages/texts.py).
// Arabic is several locales: the municipality's decides on digits. Symbols of units come with the texts.

// CLDR: Lebanon and Palestine write Arabic-Indic digits, Libya and Morocco Latin ones.
const DIGITS = { "ar-LB": "arab", "ar-PS": "arab", "ar-LY": "latn", "ar-MA": "latn" };

let spoken = { texts: {}, units: {} };
let plurals;
let locale;
let timeZone;
let relative;
const formats = new Map();

export const languages = () => spoken.languages ?? [];
export const language = () => spoken.language;
// What Intl takes: the language, the territory and the digits of this reader and town.
export const localeTag = () => locale;

// What the reader wants, best first: the language chosen here before, then those of the browser.
export const wanted = () => [remembered(), ...navigator.languages].filter(Boolean).join(", ");

function remembered() {
  try {
    return localStorage.getItem("nabd.language");
  } catch {
    return null; // storage may be forbidden; the choice then lasts as long as the page
  }
}

export async function use(room, code = wanted()) {
  const response = await fetch(`/console/texts/${room}.json`, { headers: { "Accept-Language": code } });
  if (!response.ok) throw new Error(response.statusText);
  spoken = await response.json();
  plurals = new Intl.PluralRules(spoken.language);
  try {
    localStorage.setItem("nabd.language", spoken.language);
  } catch {
    // as above
  }
  document.documentElement.lang = spoken.language;
  document.documentElement.dir = spoken.direction;
  place({});
}

// The municipality decides on the time zone and, in Arabic, on the locale.
export function place(town) {
  timeZone = town.time_zone ?? timeZone;
  town = { ...place.last, ...town };
  place.last = town;
  const territory = town.locale?.split("-")[1];
  const own = territory && spoken.language === "ar" ? `ar-${territory}` : spoken.locale;
  locale = spoken.language === "ar" ? `${own}-u-nu-${DIGITS[own] ?? "arab"}` : own;
  relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
  formats.clear();
}

// Forms of instants by the clocks of a zone; making one takes long.
function formatsIn(timeZone) {
  if (!formats.has(timeZone)) {
    formats.set(timeZone, {
      time: new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone }),
      day: new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", timeZone }),
      full: new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", timeZone }),
    });
  }
  return formats.get(timeZone);
}

// A text of the catalogue, its placeholders filled in; numbers are written as the reader writes them.
export const t = (key, values = {}) => filled(spoken.texts[key] ?? key, values);

// What a device's colour says, in words.
export const statusText = (is) => (["ok", "silent", "none"].includes(is) ? t(`state_${is}`) : t(`severity_${is}`));

// The form of a text that fits a number, which is its placeholder {n}.
export function tn(key, n, values = {}) {
  const forms = spoken.texts[key] ?? { other: key };
  return filled(forms[plurals?.select(n)] ?? forms.other, { n, ...values });
}

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => written(values[name] ?? ""));
const written = (value) => (typeof value === "number" ? number(value) : value);

// A text by language as the API sends it.
export const said = (text, fallback = "") => text?.[spoken.language] ?? text?.en ?? fallback;

// What a device is called here: by its title, or its id, where it has no name of this language.
export const titleOf = ({ titles, title, name }) => titles?.[spoken.language] || title || name;
// The same where it is the device of an alert or an order.
export const deviceTitle = (one) => titleOf({ titles: one.device_titles, title: one.device_title, name: one.device });

// Numbers in a sentence that the platform wrote, in the reader's digits; those in ids stay ("bin-7", "M4").
export function numerals(text) {
  if (spoken.language !== "ar") return text;
  const format = new Intl.NumberFormat(locale);
  const mark = format.formatToParts(1.5).find(({ type }) => type === "decimal").value;
  return text.replace(NUMBERS, (found) => found.replace(/(?<=\d)\.(?=\d)/g, mark).replace(/\d/g, (digit) => format.format(digit)));
}

const NUMBERS = /(?<![\p{Script=Latin}\d_.:/#-])\d+(?:[.,:/]\d+)*(?![\p{Script=Latin}\d_/-]|[.:]\p{Script=Latin})/gu;

export function number(value, digits = 1) {
  // The Arabic mark before a minus would move the sign behind the number where unit and number run left to right.
  return new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value).replace("\u061c", "");
}

// Whether the reader's language writes 1204 as "1,204".
export const groupsByComma = () => new Intl.NumberFormat(locale).formatToParts(1e6).some(({ type, value: mark }) => type === "group" && mark === ",");

export function distance(metres) {
  const far = metres >= 1000;
  const format = new Intl.NumberFormat(locale, { style: "unit", unit: far ? "kilometer" : "meter", unitDisplay: "short" });
  return format.format(far ? metres / 1000 : metres);
}

// The time zone in which times are said.
export const zone = () => timeZone;

// The symbol of a unit; an unknown "Cel/min" is made of its parts, as on the server.
export function unit(ucum) {
  const parts = (ucum ?? "").split("/");
  const composed = parts.length === 2 ? parts.map((one) => spoken.units[one] ?? one).join("/") : ucum;
  return spoken.units[ucum] ?? composed;
}

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

// By the page's clocks, or by those of another town.
export const time = (date, inZone = timeZone) => formatsIn(inZone).time.format(date);
export const day = (date) => formatsIn(timeZone).day.format(date);
export const full = (date, inZone = timeZone) => formatsIn(inZone).full.format(date);

export function ago(date, now) {
  const seconds = (date - now) / 1000;
  const steps = [[60, "second", 1], [3600, "minute", 60], [86400, "hour", 3600], [Infinity, "day", 86400]];
  const [, name, size] = steps.find(([limit]) => Math.abs(seconds) < limit);
  return relative.format(Math.round(seconds / size), name);
}

// Fills in what the page itself says.
export function translatePage() {
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
  for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = t(element.dataset.placeholder);
}
