// What a device that was just given a password does with it: a code, lines to copy, and what it says first.

import { copied } from "../../shell/action.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field } from "../../shell/forms.js";
import { get } from "../../shell/http.js";
import { t, titleOf } from "../../shell/i18n.js";
import { qr } from "../../shell/qr.js";
import { tag } from "../blocks.js";
import { reasonText } from "./rejections.js";

const LOOK_EVERY_MS = 2000;
const linesOf = (connect) => [[t("lines_terminal"), connect.mosquitto_pub], [t("lines_python"), connect.python], [t("lines_esp32"), connect.arduino], [t("lines_chirpstack"), connect.chirpstack]];

export async function showFirstWords(device, made) {
  const heard = h("p", { class: "heard", role: "status" }, t("first_waiting"));
  openDialog({
    title: titleOf(device), wide: true,
    body: [
      h("p", {}, t("credential_once")),
      field(t("credential_username"), copied(made.username, t("copy"), t("copied"))),
      field(t("form_is_password"), copied(made.password, t("copy"), t("copied"))),
      await qr(made.connect.code, t("lines_code")),
      ...linesOf(made.connect).map(([title, text]) => h("details", {}, h("summary", {}, title), h("pre", { class: "code", dir: "ltr" }, text))),
      heard,
    ],
  });
  listen(device, heard, Date.now());
}

// Until something has come or the dialog is closed.
async function listen(device, place, since) {
  while (place.isConnected) {
    const found = await first(device, since).catch(() => null);
    if (found) return place.replaceChildren(...found);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function first(device, since) {
  const path = encodeURIComponent(device.name);
  const newest = await get(`/api/v1/devices/${path}/latest`).catch(() => null);
  if (newest && Date.parse(newest.received_at) >= since) {
    const values = Object.entries(newest.measurements).map(([name, value]) => `${name} = ${value}`).join(", ");
    return [tag(t("first_stored"), "ok"), " ", bdi(values)];
  }
  const { items } = await get(`/api/v1/rejections?device=${encodeURIComponent(device.wire_name)}&limit=1`);
  const refused = items.find((one) => Date.parse(one.received_at) >= since);
  return refused && [tag(t("first_rejected"), "critical"), " ", reasonText(refused.reason), " ", bdi([refused.pointer, refused.detail].filter(Boolean).join(" "))];
}
