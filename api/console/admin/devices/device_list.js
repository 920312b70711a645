// A list of devices as CSV: looked at line by line before anything is stored.

import { reasonOf } from "../../shell/action.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { checkbox, field } from "../../shell/forms.js";
import { sendText } from "../../shell/http.js";
import { number, t, tn } from "../../shell/i18n.js";
import { table } from "../../shell/tables.js";
import { toast } from "../../shell/toast.js";
import { again } from "../stage.js";

const SHOWN = 100;
const NAMES_SHOWN = 20;
const EXAMPLE = "name,kind,municipality,title,title_ar,title_fr,lat,lon\nbin-0007,bin,tripoli,Al-Tall square,ساحة التل,Place Al-Tall,34.4367,35.8497\n";

const send = (text, { dry, keep = false, update }) => sendText("POST", `/api/v1/devices/import?dry_run=${dry}&keep_good=${keep}&update=${update}`, text, "text/csv");

export function importDevices() {
  const found = h("div", { class: "files", role: "status" });
  const file = h("input", { type: "file", accept: ".csv,text/csv,text/plain", required: true });
  const update = checkbox({ onchange: look }, t("list_update"));
  const keep = checkbox({}, t("list_keep_good"));
  const [updates, keeps] = [update, keep].map((one) => one.querySelector("input"));
  let text = null;
  let preview = null;
  keep.hidden = true;

  async function look() {
    text = null;
    if (!file.files.length) return;
    found.replaceChildren(h("p", {}, t("loading")));
    try {
      const read = await file.files[0].text();
      preview = await send(read, { dry: true, update: updates.checked });
      text = read;
      keep.hidden = !preview.refused || !(preview.add + preview.edit);
      found.replaceChildren(...shown(preview, read.split(/\r?\n/)));
    } catch (error) {
      found.replaceChildren(h("p", { class: "problem", role: "alert" }, reasonOf(error)));
    }
  }
  file.addEventListener("change", look);

  openDialog({
    title: t("devices_import"), wide: true, label: t("list_store"),
    body: [
      h("p", { class: "hint" }, t("list_how"), " ", h("a", { class: "plain-link", download: "devices.csv", href: `data:text/csv;charset=utf-8,${encodeURIComponent(EXAMPLE)}` }, t("list_example"))),
      field(t("file"), file), update, found, keep,
    ],
    async submit() {
      if (text === null) throw new Error(t("file_first"));
      if (preview.refused && !keeps.checked) throw new Error(t("list_has_problems"));
      const done = await send(text, { dry: false, keep: keeps.checked, update: updates.checked });
      if (!done.written) throw new Error(t("list_nothing"));
      await again();
      toast(t("list_stored", { added: done.add, edited: done.edit }));
    },
  });
}

function shown(preview, lines) {
  const names = [...preview.added, ...preview.edited];
  const problems = preview.problems.slice(0, SHOWN);
  return [
    h("p", {}, t("list_preview", { added: preview.add, edited: preview.edit, unchanged: preview.unchanged })),
    names.length > 0 && h("p", { class: "hint" }, names.slice(0, NAMES_SHOWN).flatMap((name, i) => [i ? " · " : "", bdi(name)]), names.length > NAMES_SHOWN ? " …" : ""),
    preview.refused > 0 && h("p", { class: "problem" }, tn("list_problems", preview.refused)),
    problems.length > 0 && table([
      { title: t("line"), number: true, cell: (one) => number(one.line, 0) },
      { title: t("column"), cell: (one) => bdi(one.field || "–") },
      { title: t("what_is_wrong"), cell: (one) => bdi(one.message) },
      { title: t("line_text"), cell: (one) => h("code", { dir: "ltr" }, (lines[one.line - 1] ?? "").slice(0, 80)) },
    ], problems, { empty: "", caption: t("what_is_wrong") }),
  ].filter(Boolean);
}
