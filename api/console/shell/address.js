// Where the reader is. The address says what is shown: reloading, sharing and going back show the same.
//
// A device stands in /devices/NAME, an alert in /alerts/NUMBER, everything else in the query.

import { h } from "./dom.js";

const QUERY = { severity: "severity", kind: "kind", words: "q", hours: "hours" };

let here = read();
let moved = () => {};

export const place = () => here;

export function startAddress(handler) {
  moved = handler;
  addEventListener("popstate", () => {
    here = read();
    moved();
  });
}

// Shows something else; with `replace` going back does not lead here, as while somebody types.
export function go(changes, { replace = false } = {}) {
  const url = addressOf(changes);
  if (url === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  here = read();
  moved();
}

export function addressOf(changes) {
  const there = { ...here, ...changes };
  const query = new URLSearchParams();
  if (there.device && there.alert) query.set("alert", there.alert);
  for (const [name, key] of Object.entries(QUERY)) if (there[name]) query.set(key, there[name]);
  const path = there.device ? `/devices/${encodeURIComponent(there.device)}` : there.alert ? `/alerts/${there.alert}` : "/";
  return query.size ? `${path}?${query}` : path;
}

// A link that moves within this page; with a modifier the browser opens it where the reader wants it.
export const moveLink = (changes, attributes, ...children) => h("a", {
  href: addressOf(changes),
  onclick: (event) => {
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(changes);
  },
  ...attributes,
}, ...children);

function read() {
  const [, room, name] = location.pathname.split("/");
  const query = new URLSearchParams(location.search);
  const found = { device: room === "devices" ? decoded(name) : null, alert: numbered(room === "alerts" ? name : query.get("alert")) };
  for (const [one, key] of Object.entries(QUERY)) found[one] = query.get(key);
  return found;
}

function decoded(name) {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // no name that we wrote
  }
}

function numbered(text) {
  return /^[1-9]\d{0,15}$/.test(text ?? "") ? Number(text) : null;
}
