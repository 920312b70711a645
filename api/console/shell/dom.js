// Making elements. Text is always text: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const h = (tag, attributes, ...children) => build(document.createElement(tag), attributes, children);
export const s = (tag, attributes, ...children) => build(document.createElementNS(SVG, tag), attributes, children);
export const $ = (id) => document.getElementById(id);

// An id, a name or a number that must not turn round inside a sentence of the other direction.
export const bdi = (text) => h("bdi", {}, text);

// A sentence whose ids, expressions and instants keep their own order in a line that runs the other way.
export const isolated = (sentence) =>
  sentence.split(/([A-Za-z0-9"'][ -~°µ²³]*[A-Za-z0-9)\]"'])/).flatMap((part, i) => {
    if (i % 2 === 0) return [part];
    // A bracket that was opened in the sentence is closed there too.
    const [, run, rest] = /^(.*?)(\)*)$/.exec(part);
    const open = Math.max(0, run.split("(").length - run.split(")").length);
    const own = run + (rest ?? "").slice(0, open);
    return [bdi(own), part.slice(own.length)];
  });

const keys = new WeakMap();

// Fills an element where what it shows has changed; `key` says all of it. The part that has the focus, by its
// attribute `focus`, has it afterwards too.
export function fill(element, key, children, focus = "data-focus") {
  if (keys.get(element) === key) return;
  keys.set(element, key);
  const name = element.contains(document.activeElement) && document.activeElement.getAttribute(focus);
  element.replaceChildren(...children().filter(Boolean));
  if (name) element.querySelector(`[${focus}="${CSS.escape(name)}"]`)?.focus({ preventScroll: true });
}

// Brings children into their order; those that stand where they belong are not touched.
export function arrange(parent, wanted) {
  const stays = new Set(wanted);
  for (const one of [...parent.children]) if (!stays.has(one)) one.remove();
  let next = parent.firstElementChild;
  for (const one of wanted) {
    if (one === next) next = next.nextElementSibling;
    else parent.insertBefore(one, next);
  }
}

// Calls `work` once per frame, however often it is asked to.
export function oncePerFrame(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}
