// Where the reader is: asked of the phone only when they want it.

import { keepValue, readValue } from "../shell/kept.js";

const ASKED = { enableHighAccuracy: true, timeout: 20_000, maximumAge: 10_000 };

let here = null;

// {lat, lon, accuracy_m, at}: `at` by the phone's clock. null before it was asked for.
export const position = () => here;

export const canAsk = () => "geolocation" in navigator && isSecureContext;

export async function recallPosition() {
  here = (await readValue("position").catch(() => null)) ?? null;
}

export function askPosition() {
  return new Promise((done, failed) => {
    navigator.geolocation.getCurrentPosition(({ coords, timestamp }) => {
      here = { lat: coords.latitude, lon: coords.longitude, accuracy_m: coords.accuracy, at: timestamp };
      keepValue("position", here).catch(() => {});
      done(here);
    }, failed, ASKED);
  });
}
