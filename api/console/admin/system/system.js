// How the platform does: every check with what to do about it, parts, versions.

import { action } from "../../shell/action.js";
import { bdi, h } from "../../shell/dom.js";
import { get } from "../../shell/http.js";
import { full, number, t } from "../../shell/i18n.js";
import { now } from "../../shell/state.js";
import { table } from "../../shell/tables.js";
import { mayEverywhere } from "../../shell/frame.js";
import { card, facts, note, padded, tag } from "../blocks.js";
import { again } from "../stage.js";

const IS = { fine: "ok", note: "warning", bad: "critical" };
const PARTS = ["database", "schema", "ingest", "notify", "broker"];
const WORST_FIRST = ["bad", "note", "fine"];

export async function show(root) {
  // Not ready is an answer too: 503 with the parts that are missing.
  const parts = await get("/readyz").catch((error) => error);
  root.append(partsCard(parts.parts ?? {}));
  if (!mayEverywhere("read-audit")) return;
  const found = await get("/api/v1/system").catch((error) => error);
  if (found instanceof Error) root.append(card(t("checks"), null, padded(note(found.message))));
  else root.append(checksCard(found), versionsCard(found.versions));
}

const partsCard = (parts) => card(t("parts"), [action(t("look_again"), again, { "data-focus": "look again" })], table([
  { title: t("part"), cell: ([name]) => (PARTS.includes(name) ? t(`ready_${name}`) : bdi(name)) },
  { title: t("state"), cell: ([, said]) => (said === "ok" ? tag(t("part_ready"), "ok") : [tag(t("part_missing"), "critical"), " ", bdi(said)]) },
], Object.entries(parts), { empty: t("checks_empty"), caption: t("parts"), stacked: true }));

// What stands between backticks is typed as it is.
const coded = (text) => text.split("`").map((part, i) => (i % 2 ? h("code", { dir: "ltr" }, part) : part));

function checksCard({ checks, took_s: seconds }) {
  const sorted = [...checks].sort((a, b) => WORST_FIRST.indexOf(a.verdict) - WORST_FIRST.indexOf(b.verdict));
  return card(t("checks"), null, table([
    { title: t("verdict"), cell: (one) => tag(t(`verdict_${one.verdict}`), IS[one.verdict]) },
    { title: t("subject"), cell: (one) => [bdi(one.code), " ", one.title] },
    { title: t("found"), cell: (one) => coded(one.said) },
    { title: t("what_to_do"), cell: (one) => coded(one.fix || "–") },
  ], sorted, { empty: t("checks_empty"), caption: t("checks"), stacked: true }), padded(note(t("checks_how", { seconds: number(seconds) }))));
}

const versionsCard = (versions) => card(t("versions"), null, padded(facts([
  ["Nabd", bdi(versions.nabd)], ["PostgreSQL", bdi(versions.postgres ?? "–")], ["Python", bdi(versions.python)],
  [t("clock"), bdi(full(new Date(now())))], [t("clock_speed"), versions.speed === 1 ? null : bdi(`× ${number(versions.speed)}`)],
])));
