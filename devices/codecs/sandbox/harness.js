// Calls one codec. In a world that lasts, built-in objects are frozen before the codec is there (`harden`), its own
// variables are as new for each message, and globals that a message left are taken away. In a world for one message
// nothing is frozen, for codecs that extend built-in objects; what such a codec spoils is its own answer.
(function () {
  "use strict";
  const compile = Function, evaluate = eval, { parse, stringify } = JSON, { isArray, from: list } = Array;
  const { isFinite, isSafeInteger } = Number, isView = ArrayBuffer.isView;
  const number = Number, text = String, Time = Date, Failure = Error, world = globalThis;

  const MOST_REMARKS = 20, LONGEST_REMARK = 300;
  const UP = ["decodeUplink", "Decode", "Decoder"], DOWN = ["encodeDownlink", "Encode", "Encoder"];
  const NAMES = [...UP, ...DOWN];
  const TAIL = "\n;return {" +
    NAMES.map((name) => `${name}: typeof ${name} === "function" ? ${name} : undefined`).join() + "}";

  const { freeze, isExtensible, getPrototypeOf, defineProperty, getOwnPropertyDescriptor } = Object;
  const { ownKeys, deleteProperty } = Reflect;
  const quiet = freeze(() => undefined);
  world.console = freeze({ log: quiet, info: quiet, warn: quiet, error: quiet, debug: quiet, trace: quiet });

  class Refused {
    constructor(reason) { this.reason = reason; }
  }

  function what(value) {
    if (value === null) return "null";
    if (isArray(value)) return "an array";
    return typeof value === "object" ? "an object" : `${typeof value}`;
  }

  function functions(make) {
    const exports = {}, module = { exports };
    world.module = module;
    world.exports = exports;
    const found = make();
    const exported = module.exports;
    if (exported !== null && typeof exported === "object") {
      for (const name of NAMES) if (!found[name] && typeof exported[name] === "function") found[name] = exported[name];
    }
    return found;
  }

  function chosen(found, names) {
    for (const name of names) if (found[name]) return name;
    throw new Refused(`has no function ${names.join(", ")}`);
  }

  function produced(found, name, input) {
    switch (name) {
      case "Decode": return { data: found.Decode(input.fPort, input.bytes, input.variables) };
      case "Decoder": return { data: found.Decoder(input.bytes, input.fPort) };
      case "Encode": return { bytes: found.Encode(input.fPort, input.data, input.variables) };
      case "Encoder": return { bytes: found.Encoder(input.data, input.fPort) };
      default: return found[name](input);
    }
  }

  function later(value) {
    return value !== null && typeof value === "object" && typeof value.then === "function";
  }

  function remark(value) {
    const said = typeof value === "object" ? stringify(value) : text(value);
    return said.length > LONGEST_REMARK ? said.slice(0, LONGEST_REMARK) + "..." : said;
  }

  function remarks(value) {
    if (value === undefined || value === null || value === "") return [];
    return (isArray(value) ? value : [value]).slice(0, MOST_REMARKS).map(remark);
  }

  function answered(name, answer) {
    if (later(answer) || (answer && later(answer.data))) {
      throw new Refused(`${name} answers later (async); a codec has to answer at once`);
    }
    if (answer === null || typeof answer !== "object" || isArray(answer)) {
      throw new Refused(`${name} returned ${what(answer)}; it has to return an object`);
    }
    const errors = remarks(answer.errors);
    if (errors.length) throw new Refused(errors.join("; "));
    return answer;
  }

  // JSON has no NaN, functions and large integers. What is lost is said; an integer too large becomes a text.
  function json(value, warnings) {
    return stringify(value, function (key, part) {
      switch (typeof part) {
        case "number":
          if (isFinite(part)) return part;
          if (warnings.length < MOST_REMARKS) warnings.push(`${key} is ${part}`);
          return null;
        case "bigint": return isSafeInteger(number(part)) ? number(part) : text(part);
        case "function": case "symbol":
          if (warnings.length < MOST_REMARKS) warnings.push(`${key} is a ${typeof part}`);
          return undefined;
        case "object": return isView(part) && !(part instanceof DataView) ? list(part) : part;
        default: return part;
      }
    });
  }

  const ENTRIES = {
    check(found) {
      return stringify({ functions: NAMES.filter((name) => found[name]) });
    },
    decode(found, input) {
      const name = chosen(found, UP);
      input.recvTime = new Time(input.recvTime);
      const answer = answered(name, produced(found, name, input));
      const values = answer.data;
      if (values === null || typeof values !== "object" || isArray(values)) {
        throw new Refused(`${name} returned ${what(values)} as data; it has to be an object`);
      }
      const warnings = remarks(answer.warnings), told = json(values, warnings);
      return `{"data":${told},"warnings":${stringify(warnings)}}`;
    },
    encode(found, input) {
      const name = chosen(found, DOWN);
      const answer = answered(name, produced(found, name, input));
      if (!isArray(answer.bytes) && !isView(answer.bytes)) {
        throw new Refused(`${name} returned ${what(answer.bytes)} as bytes; it has to be an array`);
      }
      return json({ bytes: answer.bytes, fPort: answer.fPort, warnings: remarks(answer.warnings) }, []);
    },
  };

  // The first place in the codec's own text; compiled as the body of a function, it begins in its third line.
  function place(stack) {
    const found = /<input>:(\d+)/.exec(stack);
    return found && found[1] > 2 ? ` (line ${found[1] - 2})` : "";
  }

  function told(thrown) {
    try {
      if (thrown instanceof Refused) return remark(thrown.reason);
      if (thrown instanceof Failure) return remark(`${thrown.name}: ${thrown.message}`) + place(text(thrown.stack));
      return `threw ${remark(thrown)}`;
    } catch {
      return "threw something that cannot be shown";
    }
  }

  world.module = world.exports = undefined;

  // Freeze all that any code can reach. A property that objects of a codec's own would inherit may still be given
  // to them, which frozen properties forbid: `Own.prototype.toString = ...` is common.
  function harden() {
    for (const shared of [Object.prototype, ...[Error, ...ERRORS].map((kind) => kind.prototype)]) overridable(shared);
    const seen = new Set([world]), open = ownKeys(world).map((name) => world[name]).concat(HIDDEN);
    while (open.length) {
      const one = open.pop();
      if (one === null || (typeof one !== "object" && typeof one !== "function") || seen.has(one)) continue;
      seen.add(one);
      freeze(one);
      open.push(getPrototypeOf(one));
      for (const key of ownKeys(one)) {
        const property = getOwnPropertyDescriptor(one, key);
        open.push(property.value, property.get, property.set);
      }
    }
    for (const name of ownKeys(world)) {
      defineProperty(world, name, { configurable: false, ...(KEPT.includes(name) ? {} : { writable: false }) });
    }
  }

  const ERRORS = [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError];
  const KEPT = ["module", "exports"];
  // What no name leads to: prototypes of iterators, generators and asynchronous functions.
  const HIDDEN = [
    [].values(), new Map().entries(), new Set().values(), ""[Symbol.iterator](), /x/g[Symbol.matchAll]("x"),
    function* () {}, (function* () {})(), async function () {}, async function* () {}, (async function* () {})(),
  ];

  function overridable(shared) {
    for (const key of ownKeys(shared)) {
      const { value, writable } = getOwnPropertyDescriptor(shared, key);
      if (!writable) continue;
      defineProperty(shared, key, {
        get() { return value; },
        set(own) {
          if (this === shared) return;
          defineProperty(this, key, { value: own, writable: true, enumerable: true, configurable: true });
        },
      });
    }
  }

  const above = getPrototypeOf(world);

  // The engine pastes a function's body between its braces without looking at it alone. A text that closes the
  // brace, does something once and opens another cannot do so as the body of a method too.
  function isOneBody(source) {
    try {
      evaluate("({ body() {\n" + source + TAIL + "\n} })");
      return true;
    } catch {
      return false;
    }
  }

  // Take away the globals that a message left; tell whether the world is as before.
  function clean(names) {
    world.module = world.exports = undefined;
    const now = ownKeys(world);
    if (now.length !== names.length) {
      for (const name of now) if (!names.includes(name) && !deleteProperty(world, name)) return false;
    }
    return isExtensible(world) && getPrototypeOf(world) === above;
  }

  // The first letter: "+" before what was returned, "-" before why it was refused, "!" before what was thrown;
  // "*" and "?" are "+" and "!" from a world that no other message may use.
  return function (source, lasting) {
    let make;
    try {
      make = compile(source + TAIL);
    } catch (thrown) {
      return "?" + told(thrown);
    }
    if (lasting) {
      if (!isOneBody(source)) return "?closes a brace that it did not open";
      harden();
    }
    const names = ownKeys(world);
    return function (entry, argument, most) {
      try {
        const answer = ENTRIES[entry](functions(make), parse(argument));
        if (answer.length > most) {
          throw new Refused(`returned ${answer.length} characters of JSON; at most ${most} may come back`);
        }
        return (lasting && clean(names) ? "+" : "*") + answer;
      } catch (thrown) {
        const letter = thrown instanceof Refused ? "-" : "!", reason = told(thrown);
        return (lasting && clean(names) ? letter : "?") + reason;
      }
    };
  };
})();
