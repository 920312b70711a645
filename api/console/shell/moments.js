// Instants by the clocks of a town: what people choose is by those, not by the browser's. Pure.

const FORMAT = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const MINUTE = 60_000;
const DAY_MS = 86_400_000;
const MORNING = 7;

// An instant (ms) as a control of type datetime-local has it.
export function localText(ms, timeZone) {
  const parts = new Intl.DateTimeFormat("en-CA", { ...FORMAT, timeZone }).formatToParts(ms);
  const { year, month, day, hour, minute } = Object.fromEntries(parts.map(({ type, value }) => [type, value]));
  return `${year}-${month}-${day}T${hour}:${minute}`;
}

// The instant (ms) of such a text; NaN where it is none. Of two where clocks are put back it is the first; a time that
// they skip is the one after.
export function fromLocalText(text, timeZone) {
  const asked = Date.parse(`${text}Z`);
  if (Number.isNaN(asked)) return NaN;
  const ahead = (ms) => Date.parse(`${localText(ms, timeZone)}Z`) - Math.floor(ms / MINUTE) * MINUTE;
  const [first, second] = [asked - ahead(asked - DAY_MS), asked - ahead(asked + DAY_MS)];
  return localText(first, timeZone) !== text && localText(second, timeZone) === text ? second : first;
}

// The day in which an instant lies, as 2026-11-30, and when a day begins.
export const dayOf = (ms, timeZone) => localText(ms, timeZone).slice(0, 10);
export const beginOf = (day, timeZone) => fromLocalText(`${day}T00:00`, timeZone);

// When it is 7 o'clock in the morning the next time.
export function nextMorning(ms, timeZone) {
  const at = (instant) => fromLocalText(`${dayOf(instant, timeZone)}T${String(MORNING).padStart(2, "0")}:00`, timeZone);
  return at(ms) > ms ? at(ms) : at(ms + DAY_MS);
}
