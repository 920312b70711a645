// Which alerts are wanted: chosen on the desk, kept in the address, asked of the server. The map follows the same.

// Names in `place()`, and what they are called in the address.
export const FILTERS = {
  severity: "severity", kind: "kind", district: "district", team: "team", rule: "rule", words: "words", mine: "mine",
  unseen: "unseen", state: "state", from: "from", until: "until",
};

// The same, nothing chosen: for `go`.
export const NO_FILTERS = Object.fromEntries(Object.keys(FILTERS).map((name) => [name, null]));

export const isFiltered = (place) => Object.keys(FILTERS).some((name) => place[name]);

// What GET /api/v1/alerts, and its counts, are asked; open alerts where nothing says otherwise.
export function alertQuery(place) {
  const query = new URLSearchParams();
  const state = place.state ?? (place.from || place.until ? null : "firing");
  if (state && state !== "all") query.set("state", state);
  for (const name of ["severity", "kind", "district", "team", "rule", "words"]) if (place[name]) query.set(name, place[name]);
  if (place.mine) query.set("assigned", "me");
  if (place.unseen) query.set("acknowledged", "false");
  if (place.from) query.set("since", place.from);
  if (place.until) query.set("until", place.until);
  return query;
}

// Whether an alert is among those that are wanted; null where only the server can tell.
export function fits(place, alert, me) {
  const state = place.state ?? (place.from || place.until ? "all" : "firing");
  const no = [
    state !== "all" && alert.state !== state,
    ...["severity", "kind", "district", "rule"].map((name) => place[name] && alert[name] !== place[name]),
    place.unseen && alert.acknowledged_at,
    place.mine && alert.assigned_to !== me,
    place.until && Date.parse(alert.opened_at) >= Date.parse(place.until),
    place.from && alert.resolved_at && Date.parse(alert.resolved_at) < Date.parse(place.from),
  ].some(Boolean);
  if (no) return false;
  return place.words || place.team ? null : true;
}
