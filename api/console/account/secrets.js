// How I sign in: the password, and an app that shows codes.

import { reasonOf } from "../shell/action.js";
import { openDialog } from "../shell/dialog.js";
import { h } from "../shell/dom.js";
import { field } from "../shell/forms.js";
import { post, put, remove } from "../shell/http.js";
import { t } from "../shell/i18n.js";
import { qr } from "../shell/qr.js";
import { toast } from "../shell/toast.js";

const secret = (name, attributes) => h("input", { name, type: "password", dir: "ltr", maxlength: 200, autocomplete: "off", ...attributes });
const code = (attributes) => h("input", { name: "code", dir: "ltr", inputmode: "numeric", maxlength: 40, autocomplete: "one-time-code", ...attributes });

export function passwordCard() {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const form = h("form", { class: "form padded", onsubmit: changed },
    h("div", { class: "fields" },
      field(t("password_old"), secret("old", { required: true, autocomplete: "current-password" })),
      field(t("password_next"), secret("new", { required: true, minlength: 10, autocomplete: "new-password" }), t("password_rule")),
      field(t("code_if_app"), code())),
    problem, h("div", {}, h("button", { type: "submit", class: "primary" }, t("password_change"))));
  async function changed(event) {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    problem.hidden = true;
    try {
      await post("/api/v1/session/password", Object.fromEntries(new FormData(form)));
      form.reset();
      toast(t("password_changed"));
    } catch (error) {
      problem.textContent = reasonOf(error);
      problem.hidden = false;
    } finally {
      button.disabled = false;
    }
  }
  return h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, t("password"))), form);
}

export function totpCard() {
  return h("section", { class: "card" },
    h("div", { class: "card-head" }, h("h2", {}, t("totp"))),
    h("div", { class: "padded" }, h("p", { class: "hint" }, t("totp_how")),
      h("div", { class: "chips" },
        h("button", { type: "button", class: "primary", onclick: setUp }, t("totp_set_up")),
        h("button", { type: "button", onclick: takeAway }, t("totp_take_away")))));
}

async function setUp() {
  try {
    const offer = await post("/api/v1/session/totp");
    const picture = await qr(offer.address, t("totp_scan"));
    openDialog({
      title: t("totp_set_up"), label: t("totp_confirm"),
      body: [
        h("p", {}, t("totp_scan")), picture,
        h("details", {}, h("summary", {}, t("totp_by_hand")), h("p", { class: "secret", dir: "ltr" }, offer.secret)),
        field(t("totp_code"), code({ required: true })),
        field(t("password"), secret("password", { required: true, autocomplete: "current-password" })),
      ],
      async submit(values) {
        const { recovery_codes: codes } = await put("/api/v1/session/totp", { secret: offer.secret, code: values.code.trim(), password: values.password });
        openDialog({ title: t("recovery_codes"), body: [h("p", {}, t("recovery_how")), h("pre", { class: "codes", dir: "ltr" }, codes.join("\n"))] });
      },
    });
  } catch (error) {
    toast(reasonOf(error), { failed: true });
  }
}

function takeAway() {
  openDialog({
    title: t("totp_take_away"), label: t("totp_take_away"), danger: true,
    body: [field(t("password"), secret("password", { required: true, autocomplete: "current-password" })), field(t("totp_code"), code(), t("totp_or_recovery"))],
    async submit({ password, code: shown }) {
      await remove("/api/v1/session/totp", { password, code: shown.trim() });
      toast(t("totp_gone"));
    },
  });
}
