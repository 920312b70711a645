// Firmware: images, and rollouts that bring them to devices, each with how far it is.

import { action, reasonOf } from "../../shell/action.js";
import { deviceLink, moveLink, place } from "../../shell/address.js";
import { confirmed, openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { get, post } from "../../shell/http.js";
import { number, said, t } from "../../shell/i18n.js";
import { state } from "../../shell/state.js";
import { toast } from "../../shell/toast.js";
import { at, card, facts, listed, note, numeric, padded, since, tag, townName, townOptions } from "../blocks.js";
import { again } from "../stage.js";

const IS = { running: "warning", paused: "none", stopped: "critical", done: "ok", cancelled: "none" };
const DEVICE_IS = { waiting: "none", offered: "warning", downloading: "warning", updated: "ok", failed: "critical", "rolled-back": "major" };
const AGAIN_MS = 3000;

export async function show(root, name) {
  if (name) return showOne(root, name);
  const images = (await get("/api/v1/firmware")).items;
  root.append(
    card(t("rollouts"), may("update-firmware") && images.length > 0 && [h("button", { type: "button", class: "primary", "data-focus": "start", onclick: () => begin(images) }, t("rollout_start"))], await rolloutList()),
    card(t("images"), null, await imageList()));
}

const kindName = (kind) => said(state.kinds.get(kind)?.title, kind);
const where = (one) => (one.municipality ? townName(one.municipality) : t("all_towns"));
const stageText = (one) => t("rollout_stage", { n: one.stage + 1, of: one.stages.length, pct: one.stages[one.stage] });

const rolloutList = () => listed("/api/v1/rollouts", [
  { title: t("firmware"), cell: (one) => moveLink({ part: "firmware", name: String(one.id) }, { class: "plain-link" }, bdi(`${kindName(one.kind)} ${one.version}`)) },
  { title: t("where"), cell: (one) => bdi(where(one)) },
  { title: t("state"), cell: (one) => tag(t(`rollout_is_${one.state}`), IS[one.state]) },
  { title: t("progress"), cell: (one) => [bar(one), h("small", {}, stageText(one))] },
  { title: t("said_by"), cell: (one) => [bdi(one.started_by ?? "–"), h("br"), h("small", {}, at(one.started_at))] },
], { empty: t("rollouts_empty"), caption: t("rollouts") });

const imageList = () => listed("/api/v1/firmware", [
  { title: t("kind"), cell: (one) => kindName(one.kind) },
  { title: t("version"), cell: (one) => [bdi(one.version), h("br"), h("small", {}, bdi(one.note))] },
  { title: t("size"), cell: (one) => t("kilobytes", { n: Math.ceil(one.size / 1024) }) },
  { title: t("said_by"), cell: (one) => [bdi(one.added_by ?? "–"), h("br"), h("small", {}, at(one.added_at))] },
], { empty: t("images_empty"), caption: t("images") });

// How many devices stand how, as one bar; the words beside it say the same.
function bar(one) {
  const text = Object.entries(one.counts).map(([is, count]) => `${t(`update_is_${is}`)}: ${number(count, 0)}`).join(" · ");
  const updated = one.counts.updated ?? 0;
  return h("div", { class: "rollout-progress" }, h("progress", { max: one.devices || 1, value: updated, "aria-label": text }), h("p", { class: "hint" }, text));
}

async function showOne(root, name) {
  const url = `/api/v1/rollouts/${encodeURIComponent(name)}`;
  const one = await get(url);
  const head = h("div");
  const devices = h("div");
  const draw = (found) => head.replaceChildren(bar(found), facts([
    [t("state"), tag(t(`rollout_is_${found.state}`), IS[found.state])],
    [t("progress"), stageText(found)],
    [t("reason"), found.detail && bdi(found.detail)],
    [t("alerted"), found.alerted ? number(found.alerted, 0) : null],
    [t("rollout_left_out"), found.left_out ? number(found.left_out, 0) : null],
    [t("where"), bdi(where(found))],
    [t("tolerated"), t("percent", { n: found.tolerated_pct })],
    [t("started"), since(found.started_at)],
  ]));
  draw(one);
  root.append(
    card(`${kindName(one.kind)} ${one.version}`, acts(one, url), padded(moveLink({ part: "firmware", name: null }, { class: "plain-link" }, t("rollouts")), head)),
    card(t("devices"), null, devices));
  devices.replaceChildren(await deviceList(url));
  follow(one, url, root, draw, devices);
}

// While it goes on it is asked again; a part that is left is asked no more.
function follow(one, url, root, draw, devices) {
  if (!["running", "paused"].includes(one.state)) return;
  let before = JSON.stringify(one.counts);
  const timer = setInterval(async () => {
    if (!root.isConnected || place().part !== "firmware") return clearInterval(timer);
    try {
      const found = await get(url);
      if (found.state !== one.state) {
        clearInterval(timer);
        return again();
      }
      if (JSON.stringify(found.counts) === before) return;
      before = JSON.stringify(found.counts);
      draw(found);
      devices.replaceChildren(await deviceList(url));
    } catch (error) {
      draw({ ...one, detail: reasonOf(error) });
    }
  }, AGAIN_MS);
}

const deviceList = (url) => listed(`${url}/devices`, [
  { title: t("device"), cell: (one) => deviceLink(one.device, { class: "plain-link" }, bdi(one.device)) },
  { title: t("stage"), cell: (one) => number(one.stage + 1, 0) },
  { title: t("state"), cell: (one) => [tag(t(`update_is_${one.state}`), DEVICE_IS[one.state]), one.alerted && [" ", tag(t("alerted"), "major")], one.detail && [h("br"), h("small", {}, bdi(one.detail))]] },
  { title: t("firmware"), cell: (one) => bdi(one.firmware ?? "–") },
  { title: t("changed"), cell: (one) => since(one.changed_at) },
], { empty: t("rollouts_empty"), caption: t("devices") });

function acts(one, url) {
  if (!may("update-firmware") || ["done", "cancelled"].includes(one.state)) return null;
  const steer = (what) => async () => {
    await post(`${url}/${what}`);
    await again();
  };
  return [
    one.state === "running" ? action(t("rollout_pause"), steer("pause")) : action(t("rollout_resume"), steer("resume"), { class: "primary" }),
    h("button", { type: "button", class: "quiet", onclick: () => confirmed(t("rollout_cancel"), t("rollout_cancel_sure"), t("rollout_cancel"), steer("cancel")) }, t("rollout_cancel")),
  ];
}

function begin(images) {
  openDialog({
    title: t("rollout_start"), label: t("rollout_start"), danger: true, wide: true,
    body: [note(t("rollout_how")), h("div", { class: "fields" },
      field(t("firmware"), select({ name: "image" }, images.map((one, i) => [String(i), `${kindName(one.kind)} ${one.version}`]))),
      field(t("municipality"), select({ name: "town" }, townOptions(t("all_towns")))),
      field(t("stages"), h("input", { name: "stages", value: "1, 10, 100", dir: "ltr", required: true }), t("stages_how")),
      field(t("tolerated"), h("input", { name: "tolerated", value: "10", dir: "ltr", inputmode: "numeric", required: true }), t("tolerated_how")),
      field(t("watch"), h("input", { name: "watch", value: "60", dir: "ltr", inputmode: "numeric", required: true }), t("watch_how")))],
    async submit(values) {
      const { kind, version } = images[Number(values.image)];
      const stages = values.stages.split(/[ ,;]+/).filter(Boolean).map(numeric);
      await post("/api/v1/rollouts", {
        kind, version, stages, tolerated_pct: numeric(values.tolerated), watch_s: Math.round(numeric(values.watch) * 60), ...(values.town ? { municipality: values.town } : {}),
      });
      await again();
      toast(t("rollout_started"));
    },
  });
}
