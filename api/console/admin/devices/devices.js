// Devices: the list, one that is registered by a form, and what can be done with one.

import { go, moveLink, place } from "../../shell/address.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { checkbox, field, select } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { post } from "../../shell/http.js";
import { firstSteps } from "../../shell/first.js";
import { said, t, titleOf } from "../../shell/i18n.js";
import { state } from "../../shell/state.js";
import { titleFields, titleSaid } from "../../shell/titles.js";
import { card, filled, kindOptions, listed, numeric, present, tag, townName, townOptions } from "../blocks.js";
import { firstCredential, missingCredentials } from "./credentials.js";
import { oneDevice } from "./device.js";
import { importDevices } from "./device_list.js";
import { again } from "../stage.js";

const STRUCTURAL = ["gateway", "circuit", "cabinet"];
const LIFE = { installed: "ok", planned: "warning", retired: "none" };

export async function show(root, name) {
  if (name) return root.append(...(await oneDevice(name)));
  const first = await firstSteps();
  if (first) root.append(first);
  root.append(await allDevices());
}

async function allDevices() {
  const query = new URLSearchParams(Object.entries({ search: place().words, kind: place().kind, municipality: place().town }).filter(([, value]) => value));
  if (place().tab === "retired") query.set("retired", "true");
  const list = await listed(`/api/v1/devices?${query}`, [
    { title: t("device"), cell: (one) => moveLink({ name: one.name, words: null, kind: null, town: null, tab: null }, { class: "plain-link" }, bdi(one.name)) },
    { title: t("called"), cell: (one) => bdi(titleOf({ ...one, name: "–" })) },
    { title: t("kind"), cell: (one) => kindName(one.kind) },
    { title: t("municipality"), cell: (one) => bdi(townName(one.municipality)) },
    { title: t("district"), cell: (one) => (one.district ? bdi(said(one.district_title, one.district)) : "–") },
    { title: t("state"), cell: (one) => tag(t(`life_is_${one.life}`), LIFE[one.life]) },
  ], { empty: t(query.size ? "devices_none_found" : "devices_empty"), caption: t("devices") });
  return card(t("devices"), [
    may("manage-devices") && h("button", { type: "button", "data-focus": "import", onclick: importDevices }, t("devices_import")),
    may("manage-devices") && h("button", { type: "button", "data-focus": "credentials", onclick: missingCredentials }, t("credentials_missing")),
    h("button", { type: "button", class: "primary", "data-focus": "add device", onclick: addDevice }, t("device_add")),
  ], filters(), list);
}

const filters = () => h("form", { class: "filters", onsubmit: (event) => { event.preventDefault(); go({ words: event.target.elements.q.value.trim() || null }); } },
  field(t("search_short"), h("input", { type: "search", name: "q", value: place().words ?? "", maxlength: 200, "data-focus": "search" })),
  field(t("kind"), select({ onchange: (event) => go({ kind: event.target.value || null }), "data-focus": "kind" }, kinds(t("kind_all")), place().kind ?? "")),
  field(t("municipality"), select({ onchange: (event) => go({ town: event.target.value || null }), "data-focus": "town" }, townOptions(t("all_towns")), place().town ?? "")),
  checkbox({ checked: place().tab === "retired", onchange: (event) => go({ tab: event.target.checked ? "retired" : null }), "data-focus": "retired" }, t("retired_only")));

const kinds = (any) => [...kindOptions(any), ...STRUCTURAL.filter((one) => !state.kinds.has(one)).map((one) => [one, t(`kind_${one}`)])];
export const kindName = (name) => (STRUCTURAL.includes(name) && !state.kinds.has(name) ? t(`kind_${name}`) : bdi(said(state.kinds.get(name)?.title, name)));

export const input = (name, value, attributes) => h("input", { name, value: value ?? "", autocomplete: "off", ...attributes });

// The fields that a device has from its first day on.
export const deviceFields = (device = {}) => [
  h("div", { class: "fields" },
    field(t("called"), input("title", device.title, { maxlength: 200, dir: "auto" })),
    field(t("latitude"), input("lat", device.lat, { dir: "ltr", inputmode: "decimal" })),
    field(t("longitude"), input("lon", device.lon, { dir: "ltr", inputmode: "decimal" })),
    field(t("parent"), input("parent", device.parent, { dir: "ltr", maxlength: 64 }), t("parent_hint")),
    field(t("serial"), input("serial", device.serial, { dir: "ltr", maxlength: 64 }))),
  titleFields(device.titles, 200),
  field(t("attributes"), h("textarea", { name: "attributes", class: "short-code", dir: "ltr", rows: 4, spellcheck: "false" },
    Object.entries(device.attributes ?? {}).map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join("\n")), t("attributes_hint")),
];

// "name = value" a line; a value that is no JSON is text.
export function attributesSaid(text) {
  return Object.fromEntries(text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const [name, ...rest] = line.split("=");
    const value = rest.join("=").trim();
    try {
      return [name.trim(), JSON.parse(value)];
    } catch {
      return [name.trim(), value];
    }
  }));
}

function addDevice() {
  openDialog({
    title: t("device_add"), wide: true, label: t("add"),
    body: [
      h("div", { class: "fields" },
        field(t("device_id"), input("name", "", { required: true, dir: "ltr", maxlength: 64 }), t("device_id_hint")),
        field(t("kind"), select({ name: "kind", required: true }, kinds())),
        field(t("municipality"), select({ name: "town", required: true }, townOptions()))),
      ...deviceFields(),
      checkbox({ name: "planned" }, t("device_planned")),
      may("manage-devices") && checkbox({ name: "credential", checked: true }, t("credential_with")),
    ],
    async submit(values) {
      const added = await post("/api/v1/devices", {
        name: values.name.trim(), kind: values.kind, municipality: values.town, title: values.title.trim(), titles: titleSaid(values), planned: values.planned === "on",
        attributes: attributesSaid(values.attributes),
        ...present({ lat: numeric(values.lat), lon: numeric(values.lon), parent: filled(values.parent), serial: filled(values.serial) }),
      });
      go({ part: "devices", name: added.name });
      await again();
      if (may("manage-devices") && values.credential === "on") await firstCredential(added);
    },
  });
}
