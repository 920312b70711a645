// The form in which somebody enters a reading by hand, made of what the kind says of its measurements.

import { bdi, h } from "./dom.js";
import { checkbox, field, select } from "./forms.js";
import { number, said, t, unit, value, zone } from "./i18n.js";
import { fromLocalText, localText } from "./moments.js";
import { isEither, numberOf } from "./numbers.js";

const TEXT_LENGTH = 64;
const NOTE_LENGTH = 1000;
const MINUTE_MS = 60_000;

export const enterable = (kind) => (kind?.by_hand ?? []).map((name) => kind.measurements.find((one) => one.name === name)).filter(Boolean);

// Values by name in words: "Fill 55 %".
export const handWords = (kind, measurements) => Object.entries(measurements).flatMap(([name, raw], i) => {
  const one = kind?.measurements.find((declared) => declared.name === name) ?? { name, type: typeof raw };
  return [i ? ", " : "", `${said(one.label, name)} `, bdi(value(one, raw))];
});

// A counter is less than it was, or (`later`) more than it is in a later reading.
export function fellWords(kind, name, { last, later }) {
  const one = kind?.measurements.find((declared) => declared.name === name) ?? { name, type: "number" };
  return t(later ? "reading_over" : "reading_fell", { label: said(one.label, name), last: value(one, last) });
}

// What was stored and is not believed; null where all is.
export function suspectWords(kind, { suspect = [] }) {
  const names = suspect.map((name) => said(kind?.measurements.find((declared) => declared.name === name)?.label, name));
  return names.length > 0 ? t("reading_suspect", { names: names.join(", ") }) : null;
}

// kind: as the API declares it; latest: the newest reading, or null; now(): ms. `read()` returns {measurements, note,
// reset, observed_at} or throws what is wrong; the same again is of the same instant. `fell(name, fault)` asks whether
// a counter was replaced.
export function readingForm(kind, latest, now) {
  const lastOf = ({ name }) => (latest?.suspect?.includes(name) ? undefined : latest?.measurements[name]);
  const controls = enterable(kind).map((one) => ({ one, ...control(one, lastOf(one)) }));
  const when = h("input", { type: "datetime-local", name: "observed_at", max: localText(now() + MINUTE_MS, zone()) });
  const note = h("textarea", { name: "note", rows: 2, maxlength: NOTE_LENGTH, dir: "auto" });
  const reset = checkbox({ name: "reset" }, t("reading_replaced"));
  reset.hidden = true;
  let entered = null; // {what, at}
  const element = h("div", { class: "form reading-form" },
    controls.map(({ label }) => label), field(t("reading_when"), when, t("reading_now")), field(t("reading_note"), note), reset);

  function fell(name, fault) {
    const { input } = controls.find(({ one }) => one.name === name);
    reset.hidden = false;
    throw atFault(input, fellWords(kind, name, fault));
  }

  function read() {
    for (const one of element.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
    for (const one of element.querySelectorAll(".at-fault")) one.remove();
    const measurements = {};
    for (const { one, input } of controls) {
      const found = readOne(one, input);
      if (found !== null) measurements[one.name] = found;
    }
    if (!Object.keys(measurements).length) throw atFault(controls[0]?.input, t("reading_nothing"));
    if (when.value && fromLocalText(when.value, zone()) > now()) throw atFault(when, t("reading_later"));
    const replaced = reset.querySelector("input").checked;
    // Of a past instant the platform knows what came before.
    if (!when.value && !replaced) {
      for (const { one } of controls) {
        const last = lastOf(one);
        if (one.counter && one.name in measurements && typeof last === "number" && measurements[one.name] < last) fell(one.name, { last });
      }
    }
    return { measurements, note: note.value.trim(), reset: replaced, observed_at: new Date(instantOf(measurements)).toISOString() };
  }

  // Sent again after a failure, it is the same reading; what was changed is another. A minute that is chosen gets the
  // seconds of now: at the whole minute the device may have said something itself.
  function instantOf(measurements) {
    const what = JSON.stringify([measurements, when.value]);
    if (entered?.what !== what) {
      const present = Math.floor(now());
      entered = { what, at: when.value ? Math.min(fromLocalText(when.value, zone()) + (present % MINUTE_MS), present) : present };
    }
    return entered.at;
  }

  return { element, read, fell };
}

function control(one, last) {
  const was = last !== undefined && last !== null && t("reading_last", { value: value(one, last) });
  const hint = [one.type === "number" && range(one), was].filter(Boolean).join(" · ");
  const input = inputOf(one);
  const label = said(one.label, one.name);
  const symbol = unit(one.unit);
  return { input, label: field(symbol ? `${label} (\u2066${symbol}\u2069)` : label, input, hint) };
}

function inputOf(one) {
  if (one.type === "boolean") return select({ name: one.name }, [["", "–"], ["true", t("yes")], ["false", t("no")]]);
  if (one.type === "text" && one.choices.length) return select({ name: one.name }, [["", "–"], ...one.choices.map((choice) => [choice, choice])]);
  if (one.type === "text") return h("input", { name: one.name, maxlength: TEXT_LENGTH, dir: "auto", autocomplete: "off" });
  return h("input", { name: one.name, inputmode: "decimal", dir: "ltr", autocomplete: "off", maxlength: 40 });
}

function range({ low, high }) {
  const [least, most] = [low, high].map((bound) => bound !== null && `\u2066${number(bound, 3)}\u2069`);
  if (least && most) return t("reading_range", { low: least, high: most });
  return least ? t("reading_at_least", { low: least }) : most && t("reading_at_most", { high: most });
}

function readOne(one, input) {
  const text = input.value.trim();
  if (!text) return null;
  if (one.type === "boolean") return text === "true";
  if (one.type === "text") return text;
  const found = numberOf(text);
  const label = said(one.label, one.name);
  if (isEither(text)) throw atFault(input, t("reading_fault", { label, what: t("reading_either", { whole: text.replace(",", ""), part: text.replace(",", ".") }) }));
  if (!Number.isFinite(found)) throw atFault(input, t("reading_fault", { label, what: t("reading_no_number") }));
  if ((one.low !== null && found < one.low) || (one.high !== null && found > one.high)) throw atFault(input, t("reading_fault", { label, what: range(one) }));
  return found;
}

// Said beside the value too: on a phone the end of the form may be out of sight.
function atFault(input, text) {
  input?.setAttribute("aria-invalid", "true");
  input?.after(h("small", { class: "at-fault" }, text));
  input?.focus();
  return new Error(text);
}
