// The form in which somebody enters a reading by hand, made of what the kind says of its measurements.

import { bdi, h } from "./dom.js";
import { checkbox, field, select } from "./forms.js";
import { number, said, t, unit, value, zone } from "./i18n.js";
import { fromLocalText, localText } from "./moments.js";
import { numberOf } from "./numbers.js";

const TEXT_LENGTH = 64;
const NOTE_LENGTH = 1000;

export const enterable = (kind) => (kind?.by_hand ?? []).map((name) => kind.measurements.find((one) => one.name === name)).filter(Boolean);

// Values by name in words: "Fill 55 %".
export const handWords = (kind, measurements) => Object.entries(measurements).flatMap(([name, raw], i) => {
  const one = kind?.measurements.find((declared) => declared.name === name) ?? { name, type: typeof raw };
  return [i ? ", " : "", `${said(one.label, name)} `, bdi(value(one, raw))];
});

// A counter is less than it was.
export function fellWords(kind, name, last) {
  const one = kind?.measurements.find((declared) => declared.name === name) ?? { name, type: "number" };
  return t("reading_fell", { label: said(one.label, name), last: value(one, last) });
}

// kind: as the API declares it; latest: the newest reading, or null; now(): ms. `read()` returns {measurements, note,
// reset, observed_at}, the last one null for now, or throws what is wrong; `fell(name, last)` asks whether a counter
// was replaced.
export function readingForm(kind, latest, now) {
  const controls = enterable(kind).map((one) => ({ one, ...control(one, latest?.measurements[one.name]) }));
  const when = h("input", { type: "datetime-local", name: "observed_at", max: localText(now() + 60_000, zone()) });
  const note = h("textarea", { name: "note", rows: 2, maxlength: NOTE_LENGTH, dir: "auto" });
  const reset = checkbox({ name: "reset" }, t("reading_replaced"));
  reset.hidden = true;
  const element = h("div", { class: "form reading-form" },
    controls.map(({ label }) => label), field(t("reading_when"), when, t("reading_now")), field(t("reading_note"), note), reset);

  function fell(name, last) {
    const { input } = controls.find(({ one }) => one.name === name);
    reset.hidden = false;
    throw atFault(input, fellWords(kind, name, last));
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
    const observed = when.value ? fromLocalText(when.value, zone()) : null;
    if (observed > now()) throw atFault(when, t("reading_later"));
    const replaced = reset.querySelector("input").checked;
    // Of a past instant the platform knows what came before.
    if (observed === null && !replaced) {
      for (const { one } of controls) {
        const last = latest?.measurements[one.name];
        if (one.counter && one.name in measurements && typeof last === "number" && measurements[one.name] < last) fell(one.name, last);
      }
    }
    return { measurements, note: note.value.trim(), reset: replaced, observed_at: observed === null ? null : new Date(observed).toISOString() };
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
