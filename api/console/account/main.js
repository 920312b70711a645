// My account: how I am told of alerts, how I sign in, where I am signed in, which reports I get.

import { reasonOf } from "../shell/action.js";
import { startAddress } from "../shell/address.js";
import { $, h } from "../shell/dom.js";
import { reader, startPage } from "../shell/frame.js";
import { language, t } from "../shell/i18n.js";
import { state } from "../shell/state.js";
import { contactCard } from "./contact.js";
import { pushCard } from "./push.js";
import { reportsCard } from "./reports.js";
import { passwordCard, totpCard } from "./secrets.js";
import { sessionsCard } from "./sessions.js";

let shown = "";

// A card that cannot be filled says why; the others are there.
async function shownCard(make) {
  try {
    return await make();
  } catch (error) {
    return h("section", { class: "card" }, h("p", { class: "empty problem", role: "alert" }, t("failed", { reason: reasonOf(error) })));
  }
}

async function draw() {
  if (!language() || !state.loaded || shown === language()) return;
  shown = language();
  if (reader().kind !== "person") {
    $("account").replaceChildren(h("section", { class: "card" }, h("p", { class: "empty" }, t("account_of_token"))));
    return;
  }
  const cards = await Promise.all([contactCard, pushCard, passwordCard, totpCard, sessionsCard, reportsCard].map(shownCard));
  $("account").replaceChildren(...cards);
}

startAddress({ read: () => ({}), write: () => "/account", query: {} }, draw);
await startPage({ draw, spoken: draw });
