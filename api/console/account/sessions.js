// Where I am signed in, and how to sign another browser out.

import { action } from "../shell/action.js";
import { bdi, h } from "../shell/dom.js";
import { get, remove } from "../shell/http.js";
import { full, t } from "../shell/i18n.js";
import { table } from "../shell/tables.js";

export async function sessionsCard() {
  const box = h("div", {});
  await fill(box);
  return h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, t("sessions"))), box);
}

async function fill(box) {
  const { items } = await get("/api/v1/session/all");
  box.replaceChildren(table([
    { title: t("browser"), cell: (one) => bdi(shortAgent(one.user_agent)) },
    { title: t("session_address"), cell: (one) => bdi(one.address) },
    { title: t("session_since"), cell: (one) => full(new Date(one.created_at)) },
    { title: t("session_used"), cell: (one) => full(new Date(one.last_used_at)) },
    { title: "", cell: (one) => (one.this ? h("span", { class: "tag is-ok" }, t("session_this")) : action(t("sign_out"), async () => {
      await remove(`/api/v1/session/all/${one.id}`);
      await fill(box);
    })) },
  ], items, { empty: t("sessions_empty"), caption: t("sessions") }));
}

// "Firefox · Android" of what a browser says of itself; its beginning where neither is known.
function shortAgent(said) {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)/.exec(said)?.[1]?.replace("Edg", "Edge").replace("OPR", "Opera");
  const system = /(Android|iPhone|iPad|Windows|Mac OS X|Linux)/.exec(said)?.[1];
  return [browser, system].filter(Boolean).join(" · ") || said.slice(0, 40) || "–";
}
