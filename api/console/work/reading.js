// A reading by hand on the phone: kept, then sent, with the instant at which it was entered.

import { openDialog } from "../shell/dialog.js";
import { h } from "../shell/dom.js";
import { field, select } from "../shell/forms.js";
import { get } from "../shell/http.js";
import { said, t } from "../shell/i18n.js";
import { enterable, readingForm } from "../shell/reading_form.js";
import { state } from "../shell/state.js";
import { toast } from "../shell/toast.js";
import { ask, isAway } from "./answers.js";
import { instant } from "./clock.js";
import { put, tried, waitingEntries } from "./outbox.js";

const address = (device) => `/api/v1/devices/${encodeURIComponent(device)}`;

// Keeps what the form needs of a device for times without network.
export const keepForReading = (device) => ask(`${address(device)}/latest`).catch(() => null);

// Opens the form for a device whose kind is known, or is asked for: a device may be met without network for the first
// time.
export async function openReading({ device, kind: told }) {
  const latest = await keepForReading(device);
  const known = told ?? latest?.kind;
  const kinds = [...state.kinds.values()].filter((one) => enterable(one).length);
  const place = h("div");
  let kind = null;
  let form = null;
  const choose = (name) => {
    form = readingForm(state.kinds.get(name), latest, instant);
    place.replaceChildren(form.element);
    kind = name;
  };
  choose(known ?? kinds[0]?.name);
  openDialog({
    title: `${t("enter_reading")} · \u2068${device}\u2069`,
    body: h("div", { class: "form" },
      !known && field(t("kind"), select({ name: "kind", onchange: (event) => choose(event.target.value) }, kinds.map((one) => [one.name, said(one.title, one.name)]))),
      place),
    label: t("send"),
    async submit() {
      const { observed_at: at, ...body } = form.read();
      const id = await put({
        device, kind, group: groupOf(device), step: "reading", url: `${address(device)}/hand-readings`,
        ...(at ? { body: { ...body, observed_at: at }, timed: null } : { body, timed: "observed_at" }),
      });
      const entry = await tried(id);
      if (!entry) toast(t("reading_stored"));
      else if (!entry.problem) toast(t("kept_for_network"));
      else toast(t("platform_refused"), { failed: true });
    },
  });
}

// Readings do not wait for each other, but for the device that is being installed.
function groupOf(device) {
  const own = `device ${device}`;
  return waitingEntries().some(({ group }) => group === own) ? own : `reading ${device} ${instant()}`;
}

// What is known of a device that was scanned or typed; its kind is null where that cannot be asked.
export async function deviceNamed(device) {
  try {
    const { kind } = await get(address(device));
    return { device, kind };
  } catch (error) {
    if (isAway(error)) return { device, kind: null };
    throw error;
  }
}
