// What devices sign in with at the broker: shown, made anew and told once, taken back.

import { place } from "../../shell/address.js";
import { confirmed, openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { get, post } from "../../shell/http.js";
import { t, titleOf, tn } from "../../shell/i18n.js";
import { table } from "../../shell/tables.js";
import { toast } from "../../shell/toast.js";
import { at, card, filled, kindOptions, note, padded, tag, townOptions } from "../blocks.js";
import { showFirstWords } from "./first_words.js";
import { again } from "../stage.js";

const OVERLAPS = [0, 24, 168, 720];
const pathOf = (device, rest = "") => `/api/v1/devices/${encodeURIComponent(device.name)}/credentials${rest}`;

export async function credentialsCard(device) {
  const { items } = await get(pathOf(device));
  const works = items.some((one) => one.works);
  const colon = device.wire_name.includes(":");
  return card(t("credentials"), [
    !colon && h("button", { type: "button", "data-focus": "rotate", onclick: () => rotate(device, works) }, t(works ? "credential_rotate" : "credential_make")),
    works && h("button", { type: "button", class: "danger", "data-focus": "revoke", onclick: () => revoke(device) }, t("credentials_revoke")),
  ],
  colon && padded(note(t("credential_colon", { command: `nabd device rotate ${device.name} --certificate --out DIR` }))),
  table([
    { title: t("credential_form"), cell: (one) => t(`form_is_${one.form}`) },
    { title: t("credential_username"), cell: (one) => bdi(one.username) },
    { title: t("state"), cell: (one) => tag(...stateOf(one)) },
    { title: t("until"), cell: (one) => at(one.ends_at ?? one.not_after) },
    { title: t("created"), cell: (one) => [at(one.made_at), " · ", bdi(one.author)] },
  ], items, { empty: t("credentials_empty"), caption: t("credentials") }));
}

const stateOf = (one) => {
  if (one.works) return one.ending ? [t("credential_until"), "warning"] : [t("credential_works"), "ok"];
  return [t(one.ending ? `credential_${one.ending}` : "credential_over"), one.ending === "revoked" ? "critical" : "none"];
};

// A device that signs in itself and has nothing yet: its first password.
export async function firstCredential(device) {
  if (device.wire_name.includes(":") || device.relays.length) return;
  const made = await post(pathOf(device), {});
  await again();
  await showFirstWords(device, made);
}

function rotate(device, works) {
  openDialog({
    title: t(works ? "credential_rotate" : "credential_make"), label: t("credential_make"),
    body: [
      note(t("credential_how")),
      works && field(t("overlap"), select({ name: "overlap" }, OVERLAPS.map((hours) => [hours, hours ? tn("overlap_days", hours / 24) : t("overlap_none")]), 0), t("overlap_hint")),
    ],
    async submit({ overlap }) {
      const made = await post(pathOf(device), { overlap_hours: Number(overlap ?? 0) });
      await again();
      await showFirstWords(device, made);
    },
  });
}

function revoke(device) {
  confirmed(t("credentials_revoke"), t("credentials_revoke_how", { device: titleOf(device) }), t("revoke"), async () => {
    const { revoked } = await post(pathOf(device, "/revoke"));
    await again();
    toast(tn("credentials_revoked", revoked));
  });
}

// First passwords for all devices of a municipality that have none, as a file that exists in this page only.
export function missingCredentials() {
  openDialog({
    title: t("credentials_missing"), label: t("credential_make"),
    body: [
      note(t("credentials_missing_how")),
      h("div", { class: "fields" },
        field(t("municipality"), select({ name: "town", required: true }, townOptions(), place().town ?? "")),
        field(t("kind"), select({ name: "kind" }, kindOptions(t("kind_all")), place().kind ?? ""))),
    ],
    async submit({ town, kind }) {
      const { items, left } = await post("/api/v1/device-credentials", { municipality: town, kind: filled(kind) });
      await again();
      openDialog({ title: t("credentials_missing"), body: [h("p", {}, tn("credentials_made", items.length)), left > 0 && h("p", {}, tn("credentials_left", left)), ...(items.length ? fileOf(items, town) : [])] });
    },
  });
}

function fileOf(items, town) {
  const rows = [["device", "username", "password"], ...items.map((one) => [one.device, one.username, one.password])];
  const file = `data:text/csv;charset=utf-8,${encodeURIComponent(rows.map((row) => `${row.join(",")}\n`).join(""))}`;
  return [
    h("p", {}, t("credentials_file")),
    h("a", { class: "plain-link", download: `credentials-${town}.csv`, href: file }, t("credentials_download")),
  ];
}
