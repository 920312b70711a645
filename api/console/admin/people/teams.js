// Teams: people who are told together.

import { confirmed, openDialog } from "../../shell/dialog.js";
import { bdi, h } from "../../shell/dom.js";
import { checkbox, field, select } from "../../shell/forms.js";
import { may } from "../../shell/frame.js";
import { get, patch, post, remove } from "../../shell/http.js";
import { said, t } from "../../shell/i18n.js";
import { titleFields, titleSaid } from "../../shell/titles.js";
import { toast } from "../../shell/toast.js";
import { card, filled, listed, townName, townOptions } from "../blocks.js";
import { again } from "../stage.js";

export async function show(root) {
  const people = may("manage-people") ? (await get("/api/v1/users?limit=1000")).items : [];
  const list = await listed("/api/v1/teams", [
    { title: t("name"), cell: (one) => bdi(said(one.title, one.name)) },
    { title: t("short_name"), cell: (one) => bdi(one.name) },
    { title: t("municipality"), cell: (one) => (one.municipality ? townName(one.municipality) : t("all_towns")) },
    { title: t("members"), cell: (one) => (one.members.length ? bdi(one.members.map((name) => shownName(people, name)).join(", ")) : t("none")) },
    ...(may("edit-routes") ? [{ title: "", cell: (one) => h("span", { class: "actions-row" },
      h("button", { type: "button", onclick: () => editTeam(people, one) }, t("edit")),
      h("button", { type: "button", class: "quiet", onclick: () => dropTeam(one) }, t("delete"))) }] : []),
  ], { empty: t("teams_empty"), caption: t("part_teams") });
  const add = may("edit-routes") && h("button", { type: "button", class: "primary", onclick: () => editTeam(people, null) }, t("team_add"));
  root.append(card(t("part_teams"), [add], list));
}

const shownName = (people, name) => people.find((one) => one.name === name)?.display_name || name;

function editTeam(people, team) {
  const known = new Set([...people.map((one) => one.name), ...(team?.members ?? [])]);
  openDialog({
    title: team ? t("edit") : t("team_add"), wide: true, label: team ? t("save") : t("add"),
    body: [
      !team && h("div", { class: "fields" },
        field(t("short_name"), h("input", { name: "name", required: true, dir: "ltr", maxlength: 63, pattern: "[a-z0-9][a-z0-9._\\-]*" }), t("short_name_hint")),
        field(t("municipality"), select({ name: "town" }, townOptions(t("all_towns"))))),
      titleFields(team?.title),
      h("fieldset", { class: "group columns" }, h("legend", {}, t("members")),
        [...known].map((name) => checkbox({ name: "member", value: name, checked: team?.members.includes(name) }, shownName(people, name)))),
    ],
    async submit(values, form) {
      const body = { title: titleSaid(values), members: [...form.querySelectorAll("[name=member]:checked")].map((one) => one.value) };
      if (team) await patch(`/api/v1/teams/${encodeURIComponent(team.name)}`, body, { "If-Match": `"${team.version}"` });
      else await post("/api/v1/teams", { name: values.name.trim(), municipality: filled(values.town), ...body });
      await again();
      toast(t("saved"));
    },
  });
}

function dropTeam(team) {
  confirmed(t("team_delete", { name: said(team.title, team.name) }), t("team_delete_how"), t("delete"), async () => {
    await remove(`/api/v1/teams/${encodeURIComponent(team.name)}`);
    await again();
  });
}
