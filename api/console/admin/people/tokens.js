// Tokens of programs: the list, a new one that is shown once, and the end of one.

import { copied } from "../../shell/action.js";
import { confirmed, openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { checkbox, field, select } from "../../shell/forms.js";
import { post } from "../../shell/http.js";
import { t } from "../../shell/i18n.js";
import { at, card, filled, fromLocal, listed, since, tag, townName, townOptions, zoneOf } from "../blocks.js";
import { again } from "../stage.js";

const ROLES = ["viewer", "technician", "operator", "admin", "ministry"];
const SCOPES = ["metrics", "alerts", "sms-answers"];

export async function show(root) {
  const list = await listed("/api/v1/tokens", [
    { title: t("name"), cell: (one) => bdi(one.name) },
    { title: t("token_may"), cell: (one) => rights(one) },
    { title: t("created"), cell: (one) => at(one.created_at) },
    { title: t("last_used"), cell: (one) => since(one.last_used_at) },
    { title: t("expires"), cell: (one) => (one.expires_at ? at(one.expires_at) : t("never")) },
    { title: "", cell: (one) => (one.revoked_at ? tag(t("revoked"), "critical") : h("button", { type: "button", onclick: () => revoke(one) }, t("revoke"))) },
  ], { empty: t("tokens_empty"), caption: t("part_tokens") });
  root.append(card(t("part_tokens"), [h("button", { type: "button", class: "primary", onclick: addToken }, t("token_add"))], list));
}

const rights = (one) => h("span", { class: "chips" },
  one.role && tag(t("role_where", { role: t(`role_${one.role}`), town: one.municipality ? townName(one.municipality) : t("all_towns") })),
  one.scopes.map((scope) => tag(t(`scope_${scope}`))));

function addToken() {
  openDialog({
    title: t("token_add"), label: t("add"), wide: true,
    body: [
      field(t("name"), h("input", { name: "name", required: true, maxlength: 100, autocomplete: "off" }), t("token_name_hint")),
      h("div", { class: "fields" },
        field(t("role"), select({ name: "role" }, [["", t("none")], ...ROLES.map((one) => [one, t(`role_${one}`)])], "viewer")),
        field(t("municipality"), select({ name: "town" }, townOptions(t("all_towns")))),
        field(t("expires"), h("input", { name: "expires", type: "datetime-local" }), t("expires_hint"))),
      h("fieldset", { class: "group" }, h("legend", {}, t("scopes")), SCOPES.map((one) => checkbox({ name: "scope", value: one }, t(`scope_${one}`)))),
    ],
    async submit(values, form) {
      const scopes = [...form.querySelectorAll("[name=scope]:checked")].map((one) => one.value);
      const { token } = await post("/api/v1/tokens", {
        name: values.name.trim(), role: filled(values.role), municipality: filled(values.town), scopes, expires_at: fromLocal(values.expires, zoneOf(values.town)),
      });
      await again();
      openDialog({ title: values.name.trim(), body: [h("p", {}, t("token_once")), copied(token, t("copy"), t("copied"))] });
    },
  });
}

function revoke(one) {
  confirmed(t("token_revoke", { name: one.name }), t("token_revoke_how"), t("revoke"), async () => {
    await post(`/api/v1/tokens/${one.id}/revoke`);
    await again();
  });
}
