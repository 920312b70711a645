// Calls one codec. Runs before the codec in the same world, so what it needs is taken before the codec could
// replace it. Each message finds the codec's own variables as new, and no global that another message left; where
// a codec spoils more than that, its world is given up.
(function () {
  "use strict";
  const compile = Function, { parse, stringify } = JSON, { isArray, from: list } = Array;
  const { isFinite, isSafeInteger } = Number, isView = ArrayBuffer.isView;
  const number = Number, text = String, Time = Date, Failure = Error, world = globalThis;

  const MOST_REMARKS = 20, LONGEST_REMARK = 300;
  const UP = ["decodeUplink", "Decode", "Decoder"], DOWN = ["encodeDownlink", "Encode", "Encoder"];
  const NAMES = [...UP, ...DOWN];
  const TAIL = "\n;return {" +
    NAMES.map((name) => `${name}: typeof ${name} === "function" ? ${name} : undefined`).join() + "}";

  const { freeze, is } = Object, { ownKeys, deleteProperty } = Reflect;
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
  const names = ownKeys(world), values = names.map((name) => world[name]);

  // Take away the globals that a message left; tell whether all others are as they were.
  function clean() {
    world.module = world.exports = undefined;
    const now = ownKeys(world);
    if (now.length !== names.length) {
      for (const name of now) if (!names.includes(name) && !deleteProperty(world, name)) return false;
    }
    for (let i = 0; i < names.length; i++) if (!is(world[names[i]], values[i])) return false;
    return true;
  }

  // The first letter: "+" before what was returned, "-" before why it was refused; "*" and "!" are the same from a
  // world in which no other message may be decoded.
  return function (source) {
    let make;
    try {
      make = compile(source + TAIL);
    } catch (thrown) {
      return "!" + told(thrown);
    }
    return function (entry, argument, most) {
      try {
        const answer = ENTRIES[entry](functions(make), parse(argument));
        if (answer.length > most) {
          throw new Refused(`returned ${answer.length} characters of JSON; at most ${most} may come back`);
        }
        return (clean() ? "+" : "*") + answer;
      } catch (thrown) {
        return (thrown instanceof Refused && clean() ? "-" : "!") + told(thrown);
      }
    };
  };
})();
