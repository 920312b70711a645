// People: the list, and one person with their roles and ways in.

import { action, copied } from "../../shell/action.js";
import { go, moveLink } from "../../shell/address.js";
import { confirmed, openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { field, select } from "../../shell/forms.js";
import { get, patch, post, remove } from "../../shell/http.js";
import { language, languages, t } from "../../shell/i18n.js";
import { state } from "../../shell/state.js";
import { toast } from "../../shell/toast.js";
import { card, facts, filled, listed, padded, since, tag, townName, townOptions } from "../blocks.js";
import { again } from "../stage.js";

const ROLES = ["viewer", "technician", "operator", "admin", "ministry"];
const pathOf = (name) => `/api/v1/users/${encodeURIComponent(name)}`;

export async function show(root, name) {
  root.append(...(name ? await onePerson(name) : await everybody()));
}

async function everybody() {
  const add = h("button", { type: "button", class: "primary", "data-focus": "add person", onclick: addPerson }, t("person_add"));
  const list = await listed("/api/v1/users", [
    { title: t("name"), cell: (one) => moveLink({ name: one.name }, { class: "plain-link" }, bdi(one.display_name || one.name)) },
    { title: t("signs_in_as"), cell: (one) => bdi(one.name) },
    { title: t("roles"), cell: (one) => rolesOf(one) },
    { title: t("last_seen"), cell: (one) => since(one.last_seen_at) },
    { title: t("state"), cell: (one) => (one.disabled_at ? tag(t("disabled"), "critical") : tag(t("person_active"), "ok")) },
  ], { empty: t("people_empty"), caption: t("part_people") });
  return [card(t("part_people"), [add], list)];
}

const roleText = (role) => {
  const [name, town] = role.split("@");
  return t("role_where", { role: t(`role_${name}`), town: town ? townName(town) : t("all_towns") });
};
const rolesOf = (person) => h("span", { class: "chips" }, person.roles.map((role) => tag(roleText(role))));

function personFields(person = {}) {
  return [
    h("div", { class: "fields" },
      field(t("display_name"), h("input", { name: "display_name", maxlength: 100, value: person.display_name ?? "", autocomplete: "off" })),
      field(t("language"), select({ name: "language" }, languages().map(({ code, name }) => [code, name]), person.language ?? language())),
      field(t("phone"), h("input", { name: "phone", type: "tel", dir: "ltr", maxlength: 32, value: person.phone ?? "", autocomplete: "off" })),
      field(t("email"), h("input", { name: "email", type: "email", dir: "ltr", maxlength: 255, value: person.email ?? "", autocomplete: "off" }))),
    roleRows(person.roles ?? [["operator", [...state.towns.keys()][0]].filter(Boolean).join("@")]),
  ];
}

// Rows of a role and where it counts; each row's selects are named role and town.
function roleRows(roles) {
  const rows = h("div", { class: "role-rows" }, roles.map(roleRow));
  return h("fieldset", { class: "group" }, h("legend", {}, t("roles")), rows,
    h("button", { type: "button", onclick: () => rows.append(roleRow("viewer")) }, t("role_add")));
}

function roleRow(role) {
  const [name, town = ""] = role.split("@");
  const row = h("div", { class: "role-row" },
    select({ name: "role", "aria-label": t("role") }, ROLES.map((one) => [one, t(`role_${one}`)]), name),
    select({ name: "town", "aria-label": t("municipality") }, townOptions(t("all_towns")), town),
    h("button", { type: "button", class: "quiet", "aria-label": t("delete"), onclick: () => row.remove() }, "✕"));
  return row;
}

const rolesSaid = (form) => [...form.querySelectorAll(".role-row")].map((row) => {
  const [role, town] = [...row.querySelectorAll("select")].map((one) => one.value);
  return town ? `${role}@${town}` : role;
});

const bodyOf = (values, form) => ({
  display_name: values.display_name.trim(), language: values.language, phone: filled(values.phone), email: filled(values.email), roles: rolesSaid(form),
});

function addPerson() {
  openDialog({
    title: t("person_add"), wide: true, label: t("add"),
    body: [
      field(t("signs_in_as"), h("input", { name: "name", required: true, maxlength: 63, dir: "ltr", autocomplete: "off", pattern: "[a-zA-Z0-9][a-zA-Z0-9._\\-]*" }), t("person_name_hint")),
      ...personFields(),
    ],
    async submit(values, form) {
      const added = await post("/api/v1/users", { name: values.name.trim().toLowerCase(), ...bodyOf(values, form) });
      const link = await post(`${pathOf(added.name)}/link`);
      await again();
      showLink(added, link.path);
    },
  });
}

function showLink(person, path) {
  openDialog({
    title: t("link_for", { name: person.display_name || person.name }),
    body: [h("p", {}, t("link_how")), copied(location.origin + path, t("copy"), t("copied"))],
  });
}

async function onePerson(name) {
  const person = await get(pathOf(name));
  const title = person.display_name || person.name;
  return [
    h("p", { class: "back" }, moveLink({ name: null }, { class: "plain-link" }, t("part_people"))),
    card(title, [
      h("button", { type: "button", "data-focus": "edit", onclick: () => editPerson(person) }, t("edit")),
      action(t("sign_in_link"), async () => showLink(person, (await post(`${pathOf(name)}/link`)).path)),
      h("button", { type: "button", onclick: () => newPassword(person) }, t("password_new")),
      person.has_totp && h("button", { type: "button", onclick: () => dropTotp(person) }, t("totp_drop")),
      person.disabled_at ? action(t("enable"), () => enable(person)) : action(t("disable"), () => disable(person)),
      h("button", { type: "button", class: "danger", onclick: () => forget(person) }, t("delete")),
    ], padded(personFacts(person))),
  ];
}

const personFacts = (person) => facts([
  [t("signs_in_as"), bdi(person.name)],
  [t("state"), person.disabled_at ? tag(t("disabled"), "critical") : tag(t("person_active"), "ok")],
  [t("roles"), rolesOf(person)],
  [t("language"), languages().find(({ code }) => code === person.language)?.name ?? person.language],
  [t("phone"), person.phone && bdi(person.phone)],
  [t("email"), person.email && bdi(person.email)],
  [t("channels"), Object.keys(person.channels).length ? bdi(Object.keys(person.channels).join(", ")) : t("none")],
  [t("password"), person.has_password ? t("yes") : t("no")],
  [t("totp_app"), person.has_totp ? t("yes") : t("no")],
  [t("provider"), person.oidc_issuer && bdi(person.oidc_issuer)],
  [t("last_seen"), since(person.last_seen_at)],
]);

function editPerson(person) {
  openDialog({
    title: t("edit"), wide: true, body: personFields(person),
    async submit(values, form) {
      await patch(pathOf(person.name), bodyOf(values, form), { "If-Match": `"${person.version}"` });
      await again();
      toast(t("saved"));
    },
  });
}

async function disable(person) {
  await post(`${pathOf(person.name)}/disable`);
  await again();
  toast(t("person_disabled", { name: person.display_name || person.name }), { label: t("undo"), action: () => enable(person) });
}

async function enable(person) {
  await post(`${pathOf(person.name)}/enable`);
  await again();
}

function newPassword(person) {
  openDialog({
    title: t("password_new"),
    body: [field(t("password"), h("input", { name: "password", type: "text", dir: "ltr", required: true, minlength: 10, maxlength: 200, autocomplete: "off" }), t("password_hint"))],
    async submit({ password }) {
      await post(`${pathOf(person.name)}/password`, { password });
      await again();
      toast(t("saved"));
    },
  });
}

function dropTotp(person) {
  confirmed(t("totp_drop"), t("totp_drop_how"), t("totp_drop"), async () => {
    await remove(`${pathOf(person.name)}/totp`);
    await again();
  });
}

function forget(person) {
  confirmed(t("person_delete", { name: person.display_name || person.name }), t("person_delete_how"), t("delete"), async () => {
    await remove(pathOf(person.name));
    go({ name: null });
  });
}
