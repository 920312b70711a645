// How often a device went through what its kind counts: was emptied, flew; and how long that took on average.

import { bdi, h } from "../shell/dom.js";
import { get } from "../shell/http.js";
import { said, t, tn } from "../shell/i18n.js";

const DAYS = 30; // what the address answers for when nobody says since when

// Fills `element` with what the last days say; where nothing is counted or known, with nothing.
export async function startCycles(element, device, kind) {
  const counted = kind?.measurements.filter(({ cycle }) => cycle) ?? [];
  if (!counted.length) return;
  const query = new URLSearchParams({ kind: kind.name, device, measurements: counted.map(({ name }) => name).join(",") });
  try {
    const [found] = (await get(`/api/v1/statistics?${query}`)).groups;
    if (found) element.replaceChildren(...counted.map((one) => row(one, found.measurements[one.name])).filter(Boolean));
  } catch {
    // what it did in a month is no reason to show less of the device
  }
}

function row({ name, cycle }, { cycles, cycle_days: days }) {
  if (cycles === null || cycles === undefined) return null;
  const often = tn("cycles_times", cycles, { days: DAYS });
  return h("p", { class: "meta cycles" }, bdi(said(cycle.label, name)), ": ", often,
    days ? [" · ", t("cycles_every", { days })] : null);
}
