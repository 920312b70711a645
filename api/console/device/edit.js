// The title and the position of a device, changed by who may install it.

import { reasonOf } from "../shell/action.js";
import { openDialog } from "../shell/dialog.js";
import { h } from "../shell/dom.js";
import { field } from "../shell/forms.js";
import { patch } from "../shell/http.js";
import { t } from "../shell/i18n.js";
import { everyTitle, titleFields, titleSaid } from "../shell/titles.js";
import { toast } from "../shell/toast.js";

// Asks for them; `changed` is given the device as it is then. Who was later than somebody else is told.
export function editDevice(device, changed) {
  const number = (name, value, most) => h("input", { name, type: "number", step: "any", min: -most, max: most, value: value ?? "", inputmode: "decimal", dir: "ltr" });
  const send = (body, version) => patch(`/api/v1/devices/${encodeURIComponent(device.name)}`, body, { "If-Match": `"${version}"` });
  openDialog({
    title: t("edit_device", { name: `\u2068${device.name}\u2069` }),
    body: h("div", { class: "fields" },
      field(t("title"), h("input", { name: "title", maxlength: 200, value: device.title, dir: "auto" })),
      titleFields(device.titles, 200),
      field(t("latitude"), number("lat", device.lat, 90)),
      field(t("longitude"), number("lon", device.lon, 180))),
    submit: async ({ title, lat, lon, ...values }) => {
      const coordinate = (text) => (text === "" ? null : Number(text));
      const done = await send({ title, titles: titleSaid(values, true), lat: coordinate(lat), lon: coordinate(lon) }, device.version);
      changed(done);
      toast(t("saved"), {
        label: t("undo"),
        action: () => send({ title: device.title, titles: everyTitle(device.titles), lat: device.lat, lon: device.lon }, done.version)
          .then(changed).catch((error) => toast(t("failed", { reason: reasonOf(error) }), { failed: true })),
      });
    },
  });
}
