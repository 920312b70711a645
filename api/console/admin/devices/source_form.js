// The form of a source, to add one and to change one: what it speaks, by which way, and where.

import { openDialog } from "../../shell/dialog.js";
import { h } from "../../shell/dom.js";
import { checkbox, field, select } from "../../shell/forms.js";
import { get, patch, post } from "../../shell/http.js";
import { t } from "../../shell/i18n.js";
import { filled, note, present, townOptions } from "../blocks.js";
import { input } from "./devices.js";

// Names of products and standards.
const NAMES = {
  chirpstack: "ChirpStack v4", things_stack: "The Things Stack v3", senml_json: "SenML (JSON)", senml_cbor: "SenML (CBOR)",
  nabd: "Nabd", sparkplug: "Sparkplug B", ngsi: "NGSI (FIWARE)", ultralight: "UltraLight 2.0",
  mavlink: "MAVLink 1, 2",
};
export const formatName = (format) => (format === "json" ? t("source_format_json") : NAMES[format] ?? format);

const WAYS = ["mqtt", "webhook"];

export async function addSource(formats, done) {
  const profiles = await profileOptions();
  const form = parts({ way: "mqtt", format: "chirpstack", protocol: "5", topics: [], profiles: {} }, profiles, formats);
  openDialog({
    title: t("source_add"), label: t("add"), wide: true,
    body: [
      h("div", { class: "fields" },
        field(t("name"), input("name", "", { required: true, dir: "ltr", maxlength: 32, pattern: "[a-z0-9][a-z0-9\\-]*" }), t("source_name_hint")),
        field(t("municipality"), select({ name: "town", required: true }, townOptions())),
        field(t("source_way"), form.way, t("source_way_hint"))),
      ...form.body,
      field(t("source_gateway"), input("gateway", "", { dir: "ltr", maxlength: 64 }), t("source_gateway_hint")),
    ],
    async submit(values) {
      const said = form.said(values);
      await done(await post("/api/v1/sources", {
        name: values.name.trim(), municipality: values.town, way: form.way.value, ...said, ...present({ gateway: filled(values.gateway) }),
      }));
    },
  });
}

// Of what the form shows at first only that is sent which is another by now: the rest stays as it is stored.
export async function editSource(name, done) {
  const path = `/api/v1/sources/${encodeURIComponent(name)}`;
  const [one, { formats }, profiles] = await Promise.all([get(path), get("/api/v1/sources"), profileOptions()]);
  const form = parts(one, profiles, formats);
  const said = (values) => ({ ...form.said(values), gateway: values.gateway.trim() });
  const dialog = openDialog({
    title: one.name, wide: true,
    body: [...form.body, field(t("source_gateway"), input("gateway", one.gateway, { dir: "ltr", maxlength: 64, required: true }))],
    async submit(values) {
      await done(await patch(path, differing(before, said(values)), { "If-Match": `"${one.version}"` }));
    },
  });
  const before = said(Object.fromEntries(new FormData(dialog.querySelector("form"))));
}

const differing = (before, after) => Object.fromEntries(Object.entries(after).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name])));

const profileOptions = async () => [["", t("none")], ...(await get("/api/v1/profiles")).items.map((one) => [one.profile, `${one.profile} · ${one.vendor} ${one.model}`])];

// The fields of a source; those of the other way are not there, and are not sent.
function parts(one, profiles, formats) {
  const byWay = (way) => formats.filter(({ ways }) => ways.includes(way)).map(({ format }) => [format, formatName(format)]);
  const way = select({ name: "way" }, WAYS.map((name) => [name, t(`source_way_${name}`)]), one.way);
  const format = select({ name: "format" }, byWay(one.way), one.format);
  // One that waits for its kind, or was refused, is not listed.
  const listed = profiles.some(([name]) => name === (one.profile ?? ""));
  const profile = select({ name: "profile" }, listed ? profiles : [...profiles, [one.profile, one.profile]], one.profile);
  const topics = lines("topics", one.topics, 3);
  const asBefore = topics.value;
  const broker = group(t("source_broker"), brokerFields(one, topics));
  const posted = group(t("source_webhook"), [note(t(one.has_secret ? "source_secret_given" : "source_secret_made")), secretField(t("source_secret"))]);

  function fit() {
    shown(broker, way.value === "mqtt");
    shown(posted, way.value === "webhook" && format.value !== "nabd");
    // Without one nothing says where the device stands in a document.
    profile.required = format.value === "json";
  }
  way.addEventListener("change", () => {
    const chosen = format.value;
    const options = byWay(way.value);
    format.replaceChildren(...options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
    fit();
  });
  format.addEventListener("change", () => {
    // Topics are a format's: another has others.
    if (format.value !== one.format && topics.value === asBefore) topics.value = "";
    if (format.value === one.format && !topics.value) topics.value = asBefore;
    fit();
  });
  fit();
  return {
    way,
    body: [
      h("div", { class: "fields" }, field(t("profile_format"), format, t("source_format_hint")), field(t("profile"), profile, t("source_profile_hint"))),
      field(t("source_models"), lines("models", Object.entries(one.profiles).map((pair) => pair.join(" = ")), 2), t("source_models_hint")),
      broker, posted,
    ],
    said: (values) => ({
      format: values.format, profile: values.profile, profiles: modelsSaid(values.models),
      ...(way.value === "mqtt" && {
        url: values.url.trim(), protocol: values.protocol, username: values.username.trim(), authority: values.authority.trim(),
        topics: linesSaid(values.topics),
      }),
      ...present({ secret: values.no_secret ? "" : filled(values.secret) }),
    }),
  };
}

const group = (title, children) => h("fieldset", { class: "group" }, h("legend", {}, title), children);

function shown(element, is) {
  element.hidden = !is;
  element.disabled = !is;
}

const secretField = (label, hint) => field(label, input("secret", "", { type: "password", autocomplete: "new-password", dir: "ltr", maxlength: 4096 }), hint);
const lines = (name, said, rows) => h("textarea", { name, class: "short-code", dir: "ltr", rows, spellcheck: "false" }, said.join("\n"));

const brokerFields = (one, topics) => [
  h("div", { class: "fields" },
    field(t("source_url"), input("url", one.url, { dir: "ltr", maxlength: 500, placeholder: "mqtts://HOST:8883" }), t("source_url_hint")),
    field(t("source_protocol"), select({ name: "protocol" }, [["5", "5"], ["3.1.1", "3.1.1"]], one.protocol)),
    field(t("source_username"), input("username", one.username, { dir: "ltr", maxlength: 200 })),
    secretField(t("password"), one.has_secret ? t("source_password_hint") : null)),
  one.has_secret && checkbox({ name: "no_secret" }, t("source_no_secret")),
  field(t("source_topics"), topics, t("source_topics_hint")),
  h("details", { open: Boolean(one.authority) }, h("summary", {}, t("source_authority")),
    field(t("source_authority_pem"), h("textarea", { name: "authority", class: "short-code", dir: "ltr", rows: 4, spellcheck: "false" }, one.authority ?? ""), t("source_authority_hint"))),
];

// One a line; of topics none: as the format has it.
const linesSaid = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

// "model = profile" a line.
function modelsSaid(text) {
  return Object.fromEntries(linesSaid(text).map((line) => {
    const at = line.lastIndexOf("=");
    const [model, profile] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    if (at < 1 || !model || !profile) throw new Error(t("source_model_wrong", { line }));
    return [model, profile];
  }));
}
