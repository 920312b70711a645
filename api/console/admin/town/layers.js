// Districts and streets: what is there, and a GeoJSON file that is looked at before it is stored.

import { reasonOf } from "../../shell/action.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { get, sendText } from "../../shell/http.js";
import { language, number, t } from "../../shell/i18n.js";
import { table } from "../../shell/tables.js";
import { toast } from "../../shell/toast.js";
import { at, card, facts } from "../blocks.js";
import { again } from "../stage.js";

const LAYERS = ["districts", "streets"];
const NAMES_SHOWN = 12;

export async function layersCard(town) {
  const { items } = await get(`/api/v1/municipalities/${town.name}/layers`);
  return card(t("layers"), may("manage-devices") && [h("button", { type: "button", onclick: () => importLayer(town) }, t("layer_import"))], table([
    { title: t("layer"), cell: (one) => t(`layer_${one.layer}`) },
    { title: t("features"), number: true, cell: (one) => number(one.features, 0) },
    { title: t("devices"), number: true, cell: (one) => number(one.devices, 0) },
    { title: t("imported"), cell: (one) => at(one.updated_at) },
    { title: "", cell: (one) => h("a", { class: "plain-link", href: `/api/v1/municipalities/${town.name}/layers/${one.layer}`, download: `${town.name}-${one.layer}.geojson` }, t("download")) },
  ], items, { empty: t("layers_empty"), caption: t("layers") }));
}

function importLayer(town) {
  const found = h("div", { class: "files", role: "status" });
  const layer = select({ name: "layer" }, LAYERS.map((one) => [one, t(`layer_${one}`)]));
  const file = h("input", { type: "file", accept: ".geojson,.json,application/geo+json,application/json", required: true });
  let text = null;
  async function look() {
    text = null;
    found.replaceChildren();
    if (!file.files.length) return;
    found.replaceChildren(h("p", {}, t("loading")));
    try {
      const read = await file.files[0].text();
      found.replaceChildren(...preview(JSON.parse(read), await send(town, layer.value, read, true)));
      text = read;
    } catch (error) {
      found.replaceChildren(h("p", { class: "problem", role: "alert" }, error instanceof SyntaxError ? t("not_json", { reason: error.message }) : reasonOf(error)));
    }
  }
  file.addEventListener("change", look);
  layer.addEventListener("change", look);
  openDialog({
    title: t("layer_import"), wide: true, label: t("layer_store"),
    body: [h("p", { class: "hint" }, t("layer_how")), h("div", { class: "fields" }, field(t("layer"), layer), field(t("file"), file)), found],
    async submit() {
      if (text === null) throw new Error(t("file_first"));
      await send(town, layer.value, text, false);
      await again();
      toast(t("saved"));
    },
  });
}

const send = (town, layer, text, dry) => sendText("PUT", `/api/v1/municipalities/${town.name}/layers/${layer}?dry_run=${dry}`, text, "application/geo+json");

function preview(collection, change) {
  const names = (collection.features ?? []).map(({ properties: p = {} }) => p[`name:${language()}`] ?? p.name ?? p.code ?? "–");
  const more = names.length - NAMES_SHOWN;
  return [
    facts([
      [t("features"), number(names.length, 0)], [t("layer_added"), number(change.added, 0)], [t("layer_changed"), number(change.changed, 0)],
      [t("layer_removed"), number(change.removed, 0)], [t("layer_devices"), number(change.devices, 0)],
    ]),
    h("p", {}, names.slice(0, NAMES_SHOWN).flatMap((name, i) => [i ? " · " : "", bdi(name)]), more > 0 ? ` · ${t("and_more", { n: more })}` : ""),
  ];
}
