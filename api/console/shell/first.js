// An installation without devices: three steps to the first one, each with how far it is.

import { h } from "./dom.js";
import { may } from "./frame.js";
import { get } from "./http.js";
import { t } from "./i18n.js";
import { now, state } from "./state.js";

// The card; null where the first device has sent, or where the reader cannot add one.
export async function firstSteps() {
  if (!may("install-devices")) return null;
  const { items } = await get("/api/v1/devices?limit=2");
  if (items.length > 1) return null;
  const device = items[0];
  const heard = device ? (await get("/api/v1/latest?limit=1")).items.length > 0 : false;
  if (heard) return null;
  const refused = device ? (await get(`/api/v1/rejections?limit=1&device=${encodeURIComponent(device.name)}`)).items[0] : (await get("/api/v1/quarantine")).items[0];
  return h("section", { class: "card", id: "first", "aria-label": t("first_title") },
    h("div", { class: "card-head" }, h("h2", {}, t("first_title"))),
    h("ol", { class: "steps" },
      h("li", { class: device && "done" }, addStep(device)),
      h("li", {}, connectStep(device)),
      h("li", {}, h("div", {}, h("p", {}, t("first_wait")), refused && h("p", { class: "problem" }, t("first_refused", { reason: refused.detail ?? refused.reason, device: refused.device }))))));
}

const addStep = (device) => h("div", {},
  h("p", {}, device ? t("first_added", { name: device.name }) : h("a", { class: "plain-link", href: "/admin/devices" }, t("first_add"))),
  !state.towns.size && h("p", {}, h("a", { class: "plain-link", href: "/admin/town" }, t("first_town"))));

function connectStep(device) {
  const kind = state.kinds.get(device?.kind ?? "bin") ?? [...state.kinds.values()][0];
  const town = device?.municipality ?? [...state.towns.keys()][0] ?? "town";
  const measured = kind?.measurements.find((one) => one.type === "number") ?? kind?.measurements[0];
  const topic = `nabd/v1/${town}/${device?.kind ?? kind?.name}/${device?.wire_name ?? "bin-0001"}/telemetry`;
  return h("div", {}, h("p", {}, t("first_connect")), h("pre", { class: "code" }, `${topic}\n{"ts": ${Math.round(now())}, "${measured?.name ?? "value"}": 42}`), h("p", { class: "hint" }, t("first_credentials")));
}
