// Which parts there are, who sees them, and the one that is shown.

import { reasonOf } from "../shell/action.js";
import { moveLink, place } from "../shell/address.js";
import { $, h } from "../shell/dom.js";
import { firstSteps } from "../shell/first.js";
import { may } from "../shell/frame.js";
import { language, t } from "../shell/i18n.js";
import { state } from "../shell/state.js";
import { updateTimes } from "../shell/times.js";

const PARTS = [
  { part: "people", needs: "manage-people", text: () => t("part_people"), open: () => import("./people/people.js") },
  { part: "teams", needs: "read-names", text: () => t("part_teams"), open: () => import("./people/teams.js") },
  { part: "tokens", needs: "manage-tokens", text: () => t("part_tokens"), open: () => import("./people/tokens.js") },
  { part: "town", needs: "read", text: () => t("part_town"), open: () => import("./town/town.js") },
  { part: "devices", needs: "install-devices", text: () => t("devices"), open: () => import("./devices/devices.js") },
  { part: "commands", needs: "read", text: () => t("part_commands"), open: () => import("./devices/commands.js") },
  { part: "firmware", needs: "read", text: () => t("part_firmware"), open: () => import("./devices/firmware.js") },
  { part: "profiles", needs: "read", text: () => t("part_profiles"), open: () => import("./devices/profiles.js") },
  { part: "sources", needs: "manage-devices", text: () => t("part_sources"), open: () => import("./devices/sources.js") },
  { part: "quarantine", needs: "install-devices", text: () => t("part_quarantine"), open: () => import("./devices/quarantine.js") },
  { part: "rejections", needs: "read", text: () => t("part_rejections"), open: () => import("./devices/rejections.js") },
  { part: "rules", needs: "read", text: () => t("part_rules"), open: () => import("./rules/rules.js") },
  { part: "routes", needs: "read-names", text: () => t("part_routes"), open: () => import("./routes/routes.js") },
  { part: "on-call", needs: "read-names", text: () => t("part_on_call"), open: () => import("./routes/on_call.js") },
  { part: "maintenance", needs: "plan-maintenance", text: () => t("part_maintenance"), open: () => import("./town/maintenance.js") },
  { part: "system", needs: "watch-platform", text: () => t("part_system"), open: () => import("./system/system.js") },
  { part: "audit", needs: "read-audit", text: () => t("part_audit"), open: () => import("./system/audit.js") },
];

// How long a part may take before it is said that it comes.
const QUIET_MS = 400;

let shown = "";
let turn = 0;

export function drawStage() {
  if (!language() || !state.loaded) return;
  const parts = PARTS.filter(({ needs }) => may(needs));
  const current = parts.find(({ part }) => part === place().part) ?? (place().part ? null : parts[0]);
  const key = [location.href, language()].join(" ");
  if (key === shown) return;
  shown = key;
  $("parts").replaceChildren(...parts.map(({ part, text }) =>
    moveLink({ part, name: null, ...NOTHING }, { "aria-current": current?.part === part && "page", "data-focus": `part ${part}` }, text())));
  // On a phone the menu is one line that scrolls.
  $("parts").querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (current) fill(current);
  else $("part").replaceChildren(h("section", { class: "card" }, h("p", { class: "empty" }, t("part_unknown"))));
}

const NOTHING = { words: null, kind: null, town: null, who: null, subject: null, verb: null, reason: null, device: null, tab: null };

// Shows the part again with what the server knows now.
export async function again() {
  const current = PARTS.find(({ part }) => part === place().part) ?? PARTS.find(({ needs }) => may(needs));
  await fill(current);
}

// The part is built beside the page and put in when it is whole; one that was left meanwhile is not.
async function fill({ open }) {
  const mine = ++turn;
  const root = h("div", { class: "part-body" });
  const focused = document.activeElement?.dataset?.focus;
  const slow = setTimeout(() => {
    if (mine === turn && !$("part").childElementCount) $("part").append(h("section", { class: "card" }, h("p", { class: "empty", role: "status" }, t("loading"))));
  }, QUIET_MS);
  try {
    const { show } = await open();
    const first = !place().part && (await firstSteps());
    if (first) root.append(first);
    await show(root, place().name);
  } catch (error) {
    root.replaceChildren(h("section", { class: "card" }, h("p", { class: "empty problem", role: "alert" }, t("failed", { reason: reasonOf(error) }))));
  }
  clearTimeout(slow);
  if (mine !== turn) return;
  $("part").replaceChildren(root);
  updateTimes(root);
  if (focused) document.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}
