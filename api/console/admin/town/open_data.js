// Open data: whether a municipality publishes, under which licence, and what.

import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { get, put, remove } from "../../shell/http.js";
import { said, t } from "../../shell/i18n.js";
import { state } from "../../shell/state.js";
import { toast } from "../../shell/toast.js";
import { at, card, facts, measurementName, note, padded } from "../blocks.js";
import { again } from "../stage.js";

const path = (town) => `/api/v1/municipalities/${town.name}/open-data`;

export async function openDataCard(town) {
  const found = await get(path(town));
  const buttons = may("manage-tokens") && [
    h("button", { type: "button", onclick: () => publish(town, found) }, t(found.licence ? "edit" : "open_data_publish")),
    found.licence && h("button", { type: "button", onclick: () => withdraw(town) }, t("open_data_withdraw")),
  ];
  return card(t("open_data"), buttons, found.licence ? padded(facts([
    [t("open_data_on"), h("a", { class: "plain-link", href: "/open-data" }, bdi("/open-data"))],
    [t("open_data_licence"), bdi(found.licence)],
    [t("open_data_since"), at(found.published_at)],
    [t("open_data_what"), what(found)],
  ])) : padded(note(t("open_data_off"))));
}

const what = (found) => Object.entries(found.measurements).map(([kind, names]) =>
  `${said(state.kinds.get(kind)?.title, kind)}: ${names.map((name) => measurementName(kind, name)).join(", ")}`).join(" · ");


function publish(town, found) {
  const licence = select({ name: "licence" }, found.licences.map((one) => [one, one]), found.licence ?? "CC-BY-4.0");
  openDialog({
    title: t("open_data"), label: t("open_data_publish"),
    body: [note(t("open_data_how")), h("p", {}, what(found)), field(t("open_data_licence"), licence)],
    async submit(values) {
      await put(path(town), { licence: values.licence });
      await again();
      toast(t("saved"));
    },
  });
}

async function withdraw(town) {
  await remove(path(town));
  await again();
  toast(t("saved"));
}
