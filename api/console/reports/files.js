// Everything as a file, in one place: what is asked for comes whole, not only what a page would show.

import { go, place } from "../shell/address.js";
import { h } from "../shell/dom.js";
import { field } from "../shell/forms.js";
import { may } from "../shell/frame.js";
import { said, t, tn } from "../shell/i18n.js";
import { now, state } from "../shell/state.js";

const DAY_MS = 86_400_000;
const SPANS = [1, 7, 28, 365];
const LONGEST_RAW = 31;
const FORMATS = ["csv", "ndjson", "parquet"];
const PLACED = [...FORMATS, "geojson"];

const days = () => (SPANS.includes(Number(place().days)) ? Number(place().days) : 28);

export async function report(element, { town }) {
  const end = new Date(now()).toISOString();
  const start = new Date(now() - days() * DAY_MS).toISOString();
  const device = place().device?.trim();
  // Readings one by one span a month at most; of a longer span hours are given.
  const readings = { start, end, bucket: days() > LONGEST_RAW ? "1h" : "raw" };
  element.replaceChildren(
    h("div", { class: "report-controls" }, h("div", { class: "chips", role: "group", "aria-label": t("period") },
      SPANS.map((one) => h("button", { type: "button", class: "chip", "aria-pressed": String(one === days()), onclick: () => go({ days: String(one) }) },
        one === 365 ? tn("years", 1) : tn("days", one))))),
    h("ul", { class: "files" },
      row(t("alerts"), t("file_alerts"), "/api/v1/exports/alerts", { municipality: town, since: start }, PLACED),
      row(t("work_orders"), t("file_orders"), "/api/v1/exports/work-orders", { municipality: town }, PLACED),
      row(t("devices"), t("file_devices"), "/api/v1/standings", { municipality: town }, PLACED),
      [...state.kinds.values()].map((kind) => row(said(kind.title, kind.name), t("file_kind"), "/api/v1/standings", { municipality: town, kind: kind.name }, ["csv", "parquet", "geojson"])),
      town && [...state.kinds.values()].map((kind) => row(
        t("readings_of_kind", { kind: said(kind.title, kind.name) }), t("file_kind_readings"), "/api/v1/exports/readings",
        { municipality: town, kind: kind.name, start: new Date(now() - Math.min(days(), LONGEST_RAW) * DAY_MS).toISOString(), end }, FORMATS)),
      row(t("part_figures"), t("file_figures"), "/api/v1/figures", { municipality: town, from: start, until: end, by: "district", per: "week" }, ["csv"]),
      may("read-audit") && row(t("audit"), t("file_audit"), "/api/v1/audit", { municipality: town, since: start }, ["ndjson"]),
      h("li", {}, h("div", {}, h("b", {}, t("readings_of_device")), h("p", { class: "meta" }, t("file_readings"))),
        h("form", { onsubmit: (event) => { event.preventDefault(); go({ device: new FormData(event.target).get("device") || null }); } },
          field(t("device"), h("input", { name: "device", value: device ?? "", maxlength: 64, dir: "ltr", required: true })),
          h("button", { type: "submit", class: "quiet" }, t("choose"))),
        device && links(`/api/v1/devices/${encodeURIComponent(device)}/readings`, readings, FORMATS))));
}

// Names of formats are the same in every language.
const FORMAT_NAMES = { ndjson: "NDJSON", parquet: "Parquet", geojson: "GeoJSON" };

const row = (title, text, address, query, formats) => h("li", {}, h("div", {}, h("b", {}, title), h("p", { class: "meta" }, text)), links(address, query, formats));

const links = (address, query, formats) => h("div", { class: "file-links" }, formats.map((format) => h("a", {
  class: "button", download: "", href: `${address}?${new URLSearchParams({ ...query, format, ...(format === "csv" ? { bom: "true" } : {}) })}`,
}, FORMAT_NAMES[format] ?? t("export_csv"))));
