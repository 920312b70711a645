// Municipalities: what they are called, when people work, how soon work is due, their districts and streets.

import { go, moveLink } from "../../shell/address.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { checkbox, field } from "../../shell/forms.js";
import { may, mayEverywhere } from "../../shell/frame.js";
import { get, patch, post } from "../../shell/http.js";
import { number, t } from "../../shell/i18n.js";
import { state } from "../../shell/state.js";
import { table } from "../../shell/tables.js";
import { titleFields, titleSaid } from "../../shell/titles.js";
import { toast } from "../../shell/toast.js";
import { card, facts, filled, numeric, padded, townName } from "../blocks.js";
import { calendarCard, targetsCard } from "./calendar.js";
import { layersCard } from "./layers.js";
import { openDataCard } from "./open_data.js";
import { again } from "../stage.js";
import { dayName } from "../week.js";

export async function show(root, name) {
  const { items } = await get("/api/v1/municipalities");
  state.towns = new Map(items.map((town) => [town.name, town]));
  const town = items.find((one) => one.name === name) ?? (items.length === 1 && !name ? items[0] : null);
  if (!town) return root.append(listCard(items));
  root.append(
    items.length > 1 ? h("p", { class: "back" }, moveLink({ name: null }, { class: "plain-link" }, t("part_town"))) : "",
    townCard(town), ...(await Promise.all([calendarCard(town), targetsCard(town), layersCard(town), openDataCard(town)])));
}

// Another one is the business of all.
const addButton = () => mayEverywhere("set-deadlines") && h("button", { type: "button", class: "primary", onclick: addTown }, t("town_add"));

const listCard = (items) => card(t("part_town"), [addButton()], table([
  { title: t("name"), cell: (one) => moveLink({ name: one.name }, { class: "plain-link" }, bdi(townName(one.name))) },
  { title: t("short_name"), cell: (one) => bdi(one.name) },
  { title: t("time_zone"), cell: (one) => bdi(one.time_zone) },
  { title: t("locale"), cell: (one) => bdi(one.locale) },
  { title: t("weekend"), cell: (one) => one.weekend.map((day) => dayName(day)).join(" · ") },
], items, { empty: t("towns_empty"), caption: t("part_town") }));

const townCard = (town) => card(townName(town.name), [
  may("set-deadlines") && h("button", { type: "button", "data-focus": "edit town", onclick: () => editTown(town) }, t("edit")), addButton(),
], padded(facts([
  [t("short_name"), bdi(town.name)],
  [t("called"), bdi(Object.values(town.title).join(" / "))],
  [t("time_zone"), bdi(town.time_zone)],
  [t("locale"), bdi(town.locale)],
  [t("weekend"), town.weekend.map((day) => dayName(day)).join(" · ")],
  [t("middle"), town.lat === null ? t("none") : bdi(`${number(town.lat, 5)} · ${number(town.lon, 5)}`)],
  [t("unknown_devices"), t(town.register_unknown ? "unknown_registered" : "unknown_quarantined")],
])));

const input = (name, value, attributes) => h("input", { name, value: value ?? "", autocomplete: "off", dir: "ltr", ...attributes });

// Names of time zones that this browser knows, to choose from while typing.
const zones = () => h("datalist", { id: "zones" }, (Intl.supportedValuesOf?.("timeZone") ?? []).map((zone) => h("option", { value: zone })));

const townFields = (town = {}) => [
  titleFields(town.title), zones(),
  h("div", { class: "fields" },
    field(t("time_zone"), input("time_zone", town.time_zone, { required: true, list: "zones", placeholder: "Asia/Beirut" })),
    field(t("locale"), input("locale", town.locale, { required: true, placeholder: "ar-LB", maxlength: 35 }), t("locale_hint")),
    field(t("latitude"), input("lat", town.lat, { inputmode: "decimal" })),
    field(t("longitude"), input("lon", town.lon, { inputmode: "decimal" }))),
  h("fieldset", { class: "group columns" }, h("legend", {}, t("weekend")),
    [1, 2, 3, 4, 5, 6, 7].map((day) => checkbox({ name: "weekend", value: day, checked: town.weekend?.includes(day) }, dayName(day)))),
  checkbox({ name: "register_unknown", checked: town.register_unknown }, t("unknown_register")),
];

const said = (values, form) => ({
  title: titleSaid(values), time_zone: values.time_zone.trim(), locale: values.locale.trim(),
  lat: numeric(values.lat), lon: numeric(values.lon), register_unknown: values.register_unknown === "on",
  weekend: [...form.querySelectorAll("[name=weekend]:checked")].map((one) => Number(one.value)),
});

function editTown(town) {
  openDialog({
    title: townName(town.name), wide: true, body: townFields(town),
    async submit(values, form) {
      await patch(`/api/v1/municipalities/${town.name}`, said(values, form));
      await again();
      toast(t("saved"));
    },
  });
}

function addTown() {
  openDialog({
    title: t("town_add"), wide: true, label: t("add"),
    body: [field(t("short_name"), input("name", "", { required: true, maxlength: 32, pattern: "[a-z0-9][a-z0-9\\-]*" }), t("town_name_hint")), ...townFields()],
    async submit(values, form) {
      const { weekend, ...others } = said(values, form);
      await post("/api/v1/municipalities", { name: filled(values.name), ...others, ...(weekend.length ? { weekend } : {}) });
      go({ name: filled(values.name) });
      await again();
    },
  });
}
