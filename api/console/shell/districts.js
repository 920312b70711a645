// The districts of a municipality by code, each with its names. Asked once.

import { get } from "./http.js";
import { languages } from "./i18n.js";

const known = new Map();

// Returns names by language by code, empty where nothing was imported.
export function districtsOf(town) {
  if (!known.has(town)) known.set(town, load(town));
  return known.get(town);
}

async function load(town) {
  try {
    const { features } = await get(`/api/v1/municipalities/${encodeURIComponent(town)}/layers/districts`);
    return Object.fromEntries(features.map(({ properties }) => [properties.code, named(properties)]));
  } catch {
    known.delete(town); // codes are shown until it can be asked
    return {};
  }
}

const named = ({ code, ...names }) => Object.fromEntries(languages().map((one) => [one.code, names[`name:${one.code}`] ?? first(names) ?? code]));

const first = (names) => Object.entries(names).find(([key]) => key.startsWith("name:"))?.[1];
