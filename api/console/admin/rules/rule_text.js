// The text of a rule: a definition as YAML, and the limits that stand in a text. Must not know the page.

const PLAIN = /^[A-Za-zÀ-ÿ_][\w .,;()<>=+*/%°'-]*$/;
const RESERVED = /^(true|false|yes|no|on|off|null|~)$/i;
const LIMIT = /^(\w+)\s*(>=|>|<=|<)\s*(?:attr\((\w+),\s*(-?[\d.]+)\)|(-?[\d.]+))(.*)$/s;

// How people write a rule: what it is and says first, what to do last. What is not here comes between, as it is stored.
const FIRST = ["id", "kind", "family", "summary", "let", "labels", "when", "levels", "clear", "for", "keep_firing", "max_gap"];
const LAST = ["suppress_by", "settle", "route", "work", "runbook"];
const place = (key) => (FIRST.includes(key) ? FIRST.indexOf(key) : LAST.includes(key) ? 100 + LAST.indexOf(key) : 50);
export const inOrder = (definition) => Object.fromEntries(Object.entries(definition).sort(([a], [b]) => place(a) - place(b)));

const scalar = (value) =>
  (typeof value === "string" && PLAIN.test(value) && !RESERVED.test(value) && !value.endsWith(" ") ? value : JSON.stringify(value));

// A value of JSON as YAML with two blanks a level; lists and short maps of words stand on one line.
export function toYaml(value, indent = "") {
  return Object.entries(value).map(([key, part]) => {
    if (part === null || typeof part !== "object") return `${indent}${key}: ${scalar(part)}\n`;
    if (Array.isArray(part) || !Object.keys(part).length) return `${indent}${key}: ${JSON.stringify(part)}\n`;
    return `${indent}${key}:\n${toYaml(part, `${indent}  `)}`;
  }).join("");
}

// A limit that a condition begins with: {measurement, sign, attribute, limit, rest}; null where it begins otherwise.
function limitOf(condition) {
  const found = typeof condition === "string" && LIMIT.exec(condition.trim());
  if (!found) return null;
  const [, measurement, sign, attribute, byAttribute, plain, rest] = found;
  if (/^\s*[\w(]/.test(rest) && !/^\s*(and|or)\b/.test(rest)) return null;
  return { measurement, sign, attribute: attribute ?? null, limit: Number(byAttribute ?? plain), rest };
}

const conditionOf = ({ measurement, sign, attribute, limit, rest = "" }) =>
  `${measurement} ${sign} ${attribute ? `attr(${attribute}, ${limit})` : limit}${rest}`;

// The limits of a rule's levels and of its end, by the path that leads to each.
export function limitsOf(definition) {
  const found = Object.entries(definition.levels ?? {}).map(([severity, condition]) => ({ path: ["levels", severity], severity, ...limitOf(condition) }));
  if (definition.clear) found.push({ path: ["clear"], severity: null, ...limitOf(definition.clear) });
  return found.filter((one) => one.measurement);
}

// The definition with another limit at a path.
export function withLimit(definition, path, limit) {
  const [first, ...rest] = path;
  if (!rest.length) return { ...definition, [first]: conditionOf({ ...limitOf(definition[first]), limit }) };
  return { ...definition, [first]: withLimit(definition[first], rest, limit) };
}

// What a form says of a usual rule, as a definition. `said`: {template, id, kind, measurement, sign, levels: [[severity, limit]],
// clear, attribute, hold, window, missing, atLeast, severity, summary, runbook, route}.
export function definitionOf(said) {
  const head = { id: said.id, kind: said.kind, ...(said.template === "silence" ? { family: "sweep" } : {}), summary: said.summary };
  const tail = said.route ? { route: said.route } : {};
  const { template, measurement, sign } = said;
  if (template === "silence") {
    return { ...head, silent: { missing: `${said.missing} intervals`, ...(said.atLeast ? { at_least: said.atLeast } : {}), severity: said.severity }, ...tail };
  }
  if (template === "geofence") return { ...head, levels: { [said.severity]: `outside(attr(${said.attribute || "geofence"}))` }, for: said.hold || "2 readings", ...tail };
  const subject = template === "rate" ? `rate(${measurement}, "${said.window || "1h"}")` : measurement;
  const worst = said.levels.length - 1;
  const levels = Object.fromEntries(said.levels.map(([severity, limit], i) =>
    [severity, `${subject} ${sign} ${said.attribute && template === "limit" && (i === 0 || i === worst && worst === 0) ? `attr(${said.attribute}, ${limit})` : limit}`]));
  const back = sign.startsWith(">") ? "<" : ">";
  return { ...head, levels, ...(said.clear === null ? {} : { clear: `${subject} ${back} ${said.clear}` }), for: said.hold || "0", ...tail };
}
