// Commands to many devices, which two administrators give together; and devices that are set otherwise than wanted.

import { commandFields, commandName } from "../../device/commands.js";
import { action } from "../../shell/action.js";
import { deviceLink } from "../../shell/address.js";
import { openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { post } from "../../shell/http.js";
import { number, said, t } from "../../shell/i18n.js";
import { state } from "../../shell/state.js";
import { toast } from "../../shell/toast.js";
import { at, card, filled, kindOptions, listed, note, padded, present, tag, townName, townOptions } from "../blocks.js";
import { again } from "../stage.js";

const IS = { waiting: "warning", approved: "ok", refused: "none", lapsed: "none" };
const AGREES = { waiting: "warning", refused: "major", apart: "major" };

export async function show(root) {
  const [asked, drifting] = await Promise.all([requestList(), driftList()]);
  root.append(
    card(t("requests"), may("command-many") && [h("button", { type: "button", class: "primary", "data-focus": "ask", onclick: ask }, t("request_ask"))], padded(note(t("requests_how"))), asked),
    card(t("drift"), null, drifting));
}

const decide = (one, what) => async () => {
  await post(`/api/v1/command-requests/${one.id}/${what}`);
  await again();
  toast(t(`request_done_${what}`));
};

const requestList = () => listed("/api/v1/command-requests", [
  { title: t("command"), cell: (one) => [bdi(commandName(state.kinds.get(one.kind), one.name)), h("br"), h("small", {}, bdi(Object.entries(one.args).map((pair) => pair.join(" = ")).join(", ")))] },
  { title: t("where"), cell: (one) => [said(state.kinds.get(one.kind)?.title, one.kind), " · ", bdi([townName(one.municipality), one.district, one.parent].filter(Boolean).join(" · "))] },
  { title: t("devices"), cell: (one) => [number(one.devices, 0), one.left_out > 0 && [h("br"), h("small", {}, t("request_left_out", { n: number(one.left_out, 0) }))]] },
  { title: t("reason"), cell: (one) => bdi(one.reason) },
  { title: t("said_by"), cell: (one) => [bdi(one.requested_by ?? "–"), h("br"), h("small", {}, at(one.requested_at))] },
  { title: t("state"), cell: (one) => [tag(t(`request_is_${one.state}`), IS[one.state]), one.decided_by && h("small", {}, " ", bdi(one.decided_by)), answers(one)] },
  { title: "", cell: (one) => one.state === "waiting" && may("command-many") && h("span", { class: "actions-row" },
    one.own ? h("small", {}, t("request_own")) : action(t("request_approve"), decide(one, "approve"), { class: "danger" }),
    action(t(one.own ? "request_withdraw" : "request_refuse"), decide(one, "refuse"), { class: "quiet" })) },
], { empty: t("requests_empty"), caption: t("requests") });

const answers = (one) => h("p", { class: "hint" }, Object.entries(one.answers).map(([status, count]) => `${t(`command_is_${status}`)}: ${number(count, 0)}`).join(" · "));

const driftList = () => listed("/api/v1/device-configs?drifting=true", [
  { title: t("device"), cell: (one) => deviceLink(one.device, { class: "plain-link" }, bdi(one.device)) },
  { title: t("config_wanted"), cell: (one) => bdi(one.drift.map((name) => `${name} = ${one.desired[name]}`).join(", ")) },
  { title: t("config_reported"), cell: (one) => bdi(one.drift.map((name) => `${name} = ${one.reported[name] ?? "–"}`).join(", ")) },
  { title: t("state"), cell: (one) => [tag(t(`config_${one.agreement}`), AGREES[one.agreement]), h("small", {}, " ", bdi(Object.values(one.refused).join(", ")))] },
  { title: t("said_by"), cell: (one) => [bdi(one.desired_by ?? "–"), " ", at(one.desired_at)] },
], { empty: t("drift_empty"), caption: t("drift") });

function ask() {
  const box = h("div");
  let form = null;
  const draw = () => {
    form = commandFields(state.kinds.get(kind.value).commands);
    box.replaceChildren(...form.body);
  };
  const kind = select({ name: "kind", onchange: draw }, kindOptions());
  draw();
  openDialog({
    title: t("request_ask"), label: t("request_send"), wide: true,
    body: [note(t("requests_how")), h("div", { class: "fields" },
      field(t("municipality"), select({ name: "town" }, townOptions())), field(t("kind"), kind),
      field(t("district"), h("input", { name: "district", dir: "ltr", maxlength: 64 }), t("optional")),
      field(t("fed_by"), h("input", { name: "parent", dir: "ltr", maxlength: 64 }), t("optional"))), box,
    field(t("reason"), h("input", { name: "reason", required: true, maxlength: 500 }))],
    async submit(values) {
      await post("/api/v1/command-requests", { municipality: values.town, kind: values.kind, ...present({ district: filled(values.district), parent: filled(values.parent) }), ...form.said(values), reason: values.reason.trim() });
      await again();
    },
  });
}
