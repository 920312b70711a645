// Where the reader is. The address says what is shown: reloading, sharing and going back show the same.
//
// A page says what its path means (`read` of the parts, `write` back) and which parameters its query has.

import { h } from "./dom.js";

let shape = { read: () => ({}), write: () => "/", query: {} };
let here = {};
let moved = () => {};

export const place = () => here;

export function startAddress(given, handler) {
  shape = given;
  moved = handler;
  here = read();
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
  for (const [name, key] of Object.entries(shape.query)) if (there[name]) query.set(key, there[name]);
  const path = shape.write(there);
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

// A link to the page of a device.
export const deviceLink = (name, attributes, ...children) => h("a", { href: `/devices/${encodeURIComponent(name)}`, ...attributes }, ...children);

const WORK = "/work";

// A link to a work order.
export const orderLink = (id, attributes, ...children) => h("a", { href: `${WORK}/${id}`, ...attributes }, ...children);

function read() {
  const found = shape.read(location.pathname.split("/").slice(1).map(decoded));
  const query = new URLSearchParams(location.search);
  for (const [name, key] of Object.entries(shape.query)) found[name] = query.get(key);
  return found;
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // no name that we wrote
  }
}

// A number of an alert or an order in the path; null for anything else.
export function numbered(text) {
  return /^[1-9]\d{0,15}$/.test(text ?? "") ? Number(text) : null;
}
