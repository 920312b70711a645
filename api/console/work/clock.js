// The platform's time on a phone that may be without network, and may have slept: the wall clock, put right by what
// the platform said last.

import { keepValue, readValue } from "../shell/kept.js";

let base = { at: 0, wall: 0, speed: 1 };

export function hearClock({ now, speed }) {
  base = { at: Date.parse(now), wall: Date.now(), speed };
  keepValue("clock", base).catch(() => {});
}

export async function recallClock() {
  const kept = await readValue("clock").catch(() => null);
  if (kept && !base.at) base = kept;
}

export const instant = () => (base.at ? base.at + (Date.now() - base.wall) * base.speed : Date.now());
