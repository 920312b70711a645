// Weeks as the API names them: 2026-W48 begins on a Monday. No drawing here.

const DAY_MS = 86_400_000;

// The week in which an instant lies, by the clock of a time zone.
export function weekOf(ms, zone) {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(ms));
  const day = new Date(`${parts}T00:00:00Z`);
  // Its Thursday decides on the year.
  const thursday = new Date(day.getTime() + (3 - ((day.getUTCDay() + 6) % 7)) * DAY_MS);
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const number = Math.floor((thursday - first) / (7 * DAY_MS)) + 1;
  return `${thursday.getUTCFullYear()}-W${String(number).padStart(2, "0")}`;
}

// The last `count` weeks that are over, the newest first.
export function weeksBefore(ms, zone, count) {
  return Array.from({ length: count }, (_, i) => weekOf(ms - (i + 1) * 7 * DAY_MS, zone));
}

// The day on which a week begins, as an instant at noon.
export function mondayOf(week) {
  const [year, number] = week.split("-W").map(Number);
  const fourth = new Date(Date.UTC(year, 0, 4, 12)); // always in week 1
  return fourth.getTime() + ((number - 1) * 7 - ((fourth.getUTCDay() + 6) % 7)) * DAY_MS;
}
