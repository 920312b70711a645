// Devices that send and that nobody registered: adopt one, receive again what was kept, or never let it in.

import { action, reasonOf } from "../../shell/action.js";
import { go } from "../../shell/address.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { get, post, remove } from "../../shell/http.js";
import { number, t, titleOf } from "../../shell/i18n.js";
import { table } from "../../shell/tables.js";
import { toast } from "../../shell/toast.js";
import { at, card, note, numeric, padded, present, since, townName } from "../blocks.js";
import { input, kindName } from "./devices.js";
import { again } from "../stage.js";
import { reasonText } from "./rejections.js";

const pathOf = (one, rest) => `/api/v1/quarantine/${encodeURIComponent(one.device)}/${rest}`;

export async function show(root) {
  const { items } = await get("/api/v1/quarantine");
  root.append(card(t("part_quarantine"), null, padded(note(t("quarantine_how"))), table([
    { title: t("device"), cell: (one) => bdi(one.device) },
    { title: t("kind"), cell: (one) => (one.kind ? kindName(one.kind) : "–") },
    { title: t("municipality"), cell: (one) => bdi(townName(one.municipality)) },
    { title: t("reason"), cell: (one) => reasonText(one.reason) },
    { title: t("probably"), cell: (one) => probably(one) },
    { title: t("waiting"), number: true, cell: (one) => number(one.count, 0) },
    { title: t("last_heard"), cell: (one) => since(one.last_at) },
    { title: "", cell: (one) => h("span", { class: "actions-row" },
      one.proposal.place && action(t("take_place", { name: `\u2068${titleOf({ ...one.proposal.place, name: one.proposal.place.device })}\u2069` }), () => takePlace(one)),
      one.reason === "unknown_device" && h("button", { type: "button", onclick: () => adopt(one) }, t("adopt")),
      action(t("replay"), async () => {
        const { replayed } = await post(pathOf(one, "replay"));
        await again();
        toast(t("replayed", { n: replayed }));
      }, { class: "quiet" }),
      may("manage-devices") && h("button", { type: "button", class: "quiet", onclick: () => ban(one) }, t("ban"))) },
  ], items, { empty: t("quarantine_empty"), caption: t("part_quarantine") })));
  if (may("manage-devices")) root.append(await bannedCard());
}

// What it is by what it sends, and the silent place beside which it speaks.
function probably({ kind, proposal: { kind: known, profile, place } }) {
  const parts = [
    known && (profile || known !== kind) && [kindName(known), profile ? [" · ", bdi(profile)] : ""],
    place && t(place.distance_m === null ? "place_silent" : "place_silent_near", { name: `\u2068${titleOf({ ...place, name: place.device })}\u2069`, metres: number(place.distance_m ?? 0, 0) }),
  ].filter(Boolean);
  return parts.length ? parts.map((part, n) => [n ? h("br") : "", part]) : "–";
}

async function takePlace(one) {
  const { device, replayed } = await post(pathOf(one, "replace"), { place: one.proposal.place.device });
  await again();
  toast(t("place_taken", { name: `\u2068${device}\u2069`, n: replayed }));
}

async function bannedCard() {
  const { items } = await get("/api/v1/banned-devices");
  return card(t("banned"), null, padded(note(t("banned_how"))), table([
    { title: t("device"), cell: (one) => bdi(one.name) },
    { title: t("municipality"), cell: (one) => (one.municipality ? bdi(townName(one.municipality)) : "–") },
    { title: t("reason"), cell: (one) => bdi(one.reason) },
    { title: t("said_by"), cell: (one) => bdi(one.author) },
    { title: t("at"), cell: (one) => at(one.banned_at) },
    { title: "", cell: (one) => action(t("unban"), async () => (await remove(`/api/v1/banned-devices/${encodeURIComponent(one.name)}`), again()), { class: "quiet" }) },
  ], items, { empty: t("banned_none"), caption: t("banned") }));
}

function ban(one) {
  openDialog({
    title: t("ban_device", { name: `\u2068${one.device}\u2069` }), label: t("ban"), danger: true,
    body: [note(t("banned_how")), field(t("reason"), input("reason", "", { required: true, maxlength: 500 }))],
    async submit({ reason }) {
      await post(pathOf(one, "ban"), { reason: reason.trim() });
      await again();
      toast(t("is_banned", { name: `\u2068${one.device}\u2069` }), {
        label: t("undo"), action: () => remove(`/api/v1/banned-devices/${encodeURIComponent(one.device)}`).then(again).catch((error) => toast(t("failed", { reason: reasonOf(error) }), { failed: true })),
      });
    },
  });
}

function adopt(one) {
  openDialog({
    title: t("adopt_device", { name: one.device }), label: t("adopt"),
    body: [
      note(t("adopt_how")),
      field(t("called"), input("title", "", { maxlength: 200 })),
      h("div", { class: "fields" },
        field(t("latitude"), input("lat", "", { dir: "ltr", inputmode: "decimal" })),
        field(t("longitude"), input("lon", "", { dir: "ltr", inputmode: "decimal" }))),
    ],
    async submit(values) {
      const { kind, profile } = one.proposal;
      await post(pathOf(one, "adopt"), { title: values.title.trim(), attributes: present({ profile }), ...present({ kind, lat: numeric(values.lat), lon: numeric(values.lon) }) });
      go({ part: "devices", name: one.device });
    },
  });
}
