// One device for its administrator: what is said of it, its hardware, its life.

import { action } from "../../shell/action.js";
import { deviceLink, moveLink } from "../../shell/address.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { get, patch, post } from "../../shell/http.js";
import { said, t, titleOf } from "../../shell/i18n.js";
import { table } from "../../shell/tables.js";
import { titleSaid } from "../../shell/titles.js";
import { toast } from "../../shell/toast.js";
import { at, card, facts, filled, fromLocal, note, numeric, padded, tag, townName, townOptions, zoneOf } from "../blocks.js";
import { credentialsCard } from "./credentials.js";
import { attributesSaid, deviceFields, input, kindName } from "./devices.js";
import { ledgerCard } from "./rejections.js";
import { again } from "../stage.js";

const pathOf = (name, rest = "") => `/api/v1/devices/${encodeURIComponent(name)}${rest}`;

export async function oneDevice(name) {
  const [device, hardware] = await Promise.all([get(pathOf(name)), get(pathOf(name, "/hardware"))]);
  const gone = device.life === "retired";
  return [
    h("p", { class: "back" }, moveLink({ name: null }, { class: "plain-link" }, t("devices"))),
    card(titleOf(device), [
      deviceLink(name, { class: "plain-link" }, t("device_page")),
      !gone && h("button", { type: "button", "data-focus": "edit", onclick: () => editDevice(device) }, t("edit")),
      !gone && h("button", { type: "button", onclick: () => moveDevice(device) }, t("device_move")),
      device.life === "planned" && action(t("device_install"), async () => (await post(pathOf(name, "/install"), {}), again())),
      !gone && h("button", { type: "button", onclick: () => replaceHardware(device) }, t("hardware_replace")),
      !gone && may("manage-devices") && h("button", { type: "button", class: "danger", onclick: () => retire(device) }, t("device_retire")),
    ], padded(device.hint && note(device.hint), deviceFacts(device))),
    card(t("hardware"), null, table([
      { title: t("wire_name"), cell: (one) => bdi(one.wire_name) },
      { title: t("serial"), cell: (one) => (one.serial ? bdi(one.serial) : "–") },
      { title: t("from"), cell: (one) => at(one.installed_at) },
      { title: t("until"), cell: (one) => at(one.removed_at) },
      { title: t("reason"), cell: (one) => bdi(one.removed_reason || "–") },
    ], hardware, { empty: t("hardware_empty"), caption: t("hardware") })),
    may("manage-devices") && !gone && await credentialsCard(device),
    await ledgerCard(name),
  ].filter(Boolean);
}

const deviceFacts = (device) => facts([
  [t("device_id"), bdi(device.name)],
  [t("kind"), kindName(device.kind)],
  [t("state"), tag(t(`life_is_${device.life}`), device.life === "installed" ? "ok" : "none")],
  [t("municipality"), bdi(townName(device.municipality))],
  [t("district"), device.district && bdi(said(device.district_title, device.district))],
  [t("street"), device.street && bdi(said(device.street_title, device.street))],
  [t("position"), device.lat === null ? t("none") : bdi(`${device.lat.toFixed(5)}, ${device.lon.toFixed(5)}`)],
  [t("parent"), device.parent && moveLink({ name: device.parent }, { class: "plain-link" }, bdi(device.parent))],
  [t("relays"), device.relays.length ? bdi(device.relays.join(", ")) : null],
  device.wire_name !== device.name && [t("wire_name"), bdi(device.wire_name)],
  [t("serial"), device.serial && bdi(device.serial)],
  [t("installed_at"), device.installed_at && at(device.installed_at)],
  [t("retired_at"), device.retired_at && at(device.retired_at)],
  [t("reason"), device.retired_reason && bdi(device.retired_reason)],
  ...Object.entries(device.attributes).map(([name, value]) => [bdi(name), bdi(typeof value === "string" ? value : JSON.stringify(value))]),
]);

async function changed(device, body) {
  await patch(pathOf(device.name), body, { "If-Match": `"${device.version}"` });
  await again();
  toast(t("saved"));
}

function editDevice(device) {
  openDialog({
    title: titleOf(device), wide: true, body: deviceFields(device),
    async submit(values) {
      const attributes = attributesSaid(values.attributes);
      for (const name of Object.keys(device.attributes)) if (!(name in attributes)) attributes[name] = null;
      for (const [name, value] of Object.entries(attributes)) if (JSON.stringify(device.attributes[name]) === JSON.stringify(value)) delete attributes[name];
      const serial = filled(values.serial);
      await changed(device, {
        title: values.title.trim(), titles: titleSaid(values, true), lat: numeric(values.lat), lon: numeric(values.lon), parent: filled(values.parent), attributes,
        ...(serial && serial !== device.serial ? { serial } : {}),
      });
    },
  });
}

function moveDevice(device) {
  openDialog({
    title: t("device_move"), label: t("device_move"),
    body: [
      note(t("move_how")),
      field(t("municipality"), select({ name: "town" }, townOptions(), device.municipality)),
      h("div", { class: "fields" },
        field(t("latitude"), input("lat", device.lat, { dir: "ltr", inputmode: "decimal" })),
        field(t("longitude"), input("lon", device.lon, { dir: "ltr", inputmode: "decimal" }))),
    ],
    async submit(values) {
      const town = values.town === device.municipality ? {} : { municipality: values.town };
      await changed(device, { ...town, lat: numeric(values.lat), lon: numeric(values.lon) });
    },
  });
}

function replaceHardware(device) {
  openDialog({
    title: t("hardware_replace"), label: t("hardware_replace"),
    body: [
      note(t("replace_how")),
      field(t("serial"), input("serial", "", { required: true, dir: "ltr", maxlength: 64 })),
      field(t("wire_name"), input("wire", "", { dir: "ltr", maxlength: 64 }), t("wire_name_hint")),
      field(t("at"), input("at", "", { type: "datetime-local" }), t("at_hint")),
      field(t("reason"), input("reason", "", { maxlength: 500 })),
    ],
    async submit(values) {
      await post(pathOf(device.name, "/hardware"), { serial: values.serial.trim(), wire_name: filled(values.wire), at: fromLocal(values.at, zoneOf(device.municipality)), reason: values.reason.trim() });
      await again();
      toast(t("saved"));
    },
  });
}

function retire(device) {
  openDialog({
    title: t("device_retire"), label: t("device_retire"), danger: true,
    body: [note(t("retire_how")), field(t("reason"), input("reason", "", { required: true, maxlength: 500 }))],
    async submit({ reason }) {
      await post(pathOf(device.name, "/retire"), { reason: reason.trim() });
      await again();
    },
  });
}
