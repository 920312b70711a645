// The council's figures: tiles, how they went week by week, and by district, team, kind or rule.

import { go, place } from "../shell/address.js";
import { chart } from "../shell/chart.js";
import { districtsOf } from "../shell/districts.js";
import { bdi, h } from "../shell/dom.js";
import { may } from "../shell/frame.js";
import { get } from "../shell/http.js";
import { said, t, tn } from "../shell/i18n.js";
import { now, state } from "../shell/state.js";
import { table } from "../shell/tables.js";
import { AIM, count, length, share } from "./amounts.js";

const DAY_MS = 86_400_000;
const SPANS = [28, 91, 365];
const GROUPS = ["district", "team", "kind", "rule"];
const PERIODS = ["week", "month"];
const AGES = ["under_1d", "1d_to_3d", "3d_to_7d", "7d_to_30d", "over_30d"];

const days = () => (SPANS.includes(Number(place().days)) ? Number(place().days) : SPANS[0]);
const by = () => (GROUPS.includes(place().by) ? place().by : "district");
const per = () => (PERIODS.includes(place().per) ? place().per : "week");

export async function report(element, { town, current }) {
  const until = now();
  const query = (more) => new URLSearchParams({ municipality: town, from: new Date(until - days() * DAY_MS).toISOString(), until: new Date(until).toISOString(), ...more });
  const ask = (more) => get(`/api/v1/figures?${query(more)}`);
  const [all, periods, groups, districts] = await Promise.all([ask({}), ask({ per: per() }), ask({ by: by() }), districtsOf(town)]);
  if (!current()) return;
  const boxes = [h("div"), h("div"), h("div")];
  element.replaceChildren(
    controls(query),
    tiles(all.figures[0]),
    h("div", { class: "report-charts" }, boxes),
    h("section", {}, h("h2", {}, t("open_by_age")), ages(all.figures[0].open)),
    h("section", {}, h("h2", {}, t(`by_${by()}`)), byGroup(groups.figures, districts)));
  await draw(boxes, periods.figures, until);
}

function controls(query) {
  const chips = (label, key, options, chosen, text) => h("div", { class: "chips", role: "group", "aria-label": label },
    options.map((one) => h("button", { type: "button", class: "chip", "aria-pressed": String(one === chosen), onclick: () => go({ [key]: String(one) }) }, text(one))));
  const groups = GROUPS.filter((one) => one !== "team" || may("read-names"));
  return h("div", { class: "report-controls" },
    chips(t("period"), "days", SPANS, days(), (one) => (one === 365 ? tn("years", 1) : tn("days", one))),
    chips(t("per"), "per", PERIODS, per(), (one) => t(`per_${one}`)),
    chips(t("by"), "by", groups, by(), (one) => t(`by_${one}`)),
    h("a", { class: "button", href: `/api/v1/figures?${query({ by: by(), per: per(), format: "csv", bom: "true" })}`, download: "" }, t("export_csv")));
}

function tiles(one) {
  const tile = (label, main, beside, is) => h("div", { class: `tile${is ? ` is-${is}` : ""}` }, h("dt", {}, label), h("dd", {}, bdi(main)), beside && h("dd", { class: "beside" }, beside));
  const aimed = (value) => (value === null ? null : value >= AIM ? "ok" : "critical");
  const within = ({ within: kept, missed, share: part }) => `${t("within_deadline")} ${share(part)} (${count(kept)} / ${count(kept + missed)})`;
  return h("dl", { class: "tiles" },
    tile(t("orders_made"), count(one.made), `${t("orders_done")} ${count(one.done)} · ${t("orders_cancelled")} ${count(one.cancelled)}`),
    tile(t("orders_open"), count(one.open.count), `${t("orders_overdue")} ${count(one.open.overdue)}`, one.open.overdue ? "major" : null),
    tile(t("response_time"), length(one.response.median_s), within(one.response), aimed(one.response.share)),
    tile(t("repair_time"), length(one.repair.median_s), within(one.repair), aimed(one.repair.share)),
    tile(t("effectiveness"), share(one.effectiveness.share), `${t("aim")} ${share(one.effectiveness.aim)} · ${t("reopened")} ${count(one.effectiveness.reopened)}`, aimed(one.effectiveness.share)),
    one.alerts && tile(t("alerts_opened"), count(one.alerts.opened), `${t("alerts_resolved")} ${count(one.alerts.resolved)} · ${t("alerts_still_open")} ${count(one.alerts.still_open)}`));
}

// A point stands in the middle of its period.
async function draw(boxes, figures, until) {
  const middle = (one) => (Date.parse(one.from_at) + Date.parse(one.until_at)) / 2;
  const series = (label, unit, take, more) => ({
    label, unit, ...more, points: figures.map((one) => [middle(one), take(one)]).filter(([, value]) => value !== null && value !== undefined),
  });
  const span = { start: Date.parse(figures[0]?.from_at ?? until), end: until, empty: t("figures_none") };
  const percent = (value) => (value === null ? null : value * 100);
  const hours = (value) => (value === null ? null : value / 3600);
  await Promise.all([
    chart(boxes[0], { ...span, series: [series(t("orders_made"), "1", (one) => one.made), series(t("orders_done"), "1", (one) => one.done)] }),
    chart(boxes[1], {
      ...span, limits: [{ value: AIM * 100, label: `${t("aim")} ${share(AIM)}`, severity: "ok" }],
      series: [series(t("response_in_time"), "%", (one) => percent(one.response.share)), series(t("repair_in_time"), "%", (one) => percent(one.repair.share))],
    }),
    chart(boxes[2], { ...span, series: [series(t("response_time"), "h", (one) => hours(one.response.median_s)), series(t("repair_time"), "h", (one) => hours(one.repair.median_s))] }),
  ]);
}

const ages = (open) => (open.count
  ? h("dl", { class: "ages" }, AGES.map((age) => h("div", {}, h("dt", {}, t(`age_${age}`)), h("dd", {}, count(open.by_age[age] ?? 0)))))
  : h("p", { class: "meta" }, t("nothing_open")));

function byGroup(figures, districts) {
  const titles = { kind: (group) => state.kinds.get(group)?.title, district: (group) => districts[group] };
  const name = ({ group }) => (group === null ? t("group_none") : said(titles[by()]?.(group), group));
  const columns = [
    { title: t(`by_${by()}`), cell: (one) => bdi(name(one)) },
    { title: t("orders_made"), number: true, cell: (one) => count(one.made) },
    { title: t("orders_done"), number: true, cell: (one) => count(one.done) },
    { title: t("orders_open"), number: true, cell: (one) => count(one.open.count) },
    { title: t("orders_overdue"), number: true, cell: (one) => count(one.open.overdue) },
    { title: t("response_time"), number: true, cell: (one) => length(one.response.median_s) },
    { title: t("response_in_time"), number: true, cell: (one) => share(one.response.share) },
    { title: t("repair_time"), number: true, cell: (one) => length(one.repair.median_s) },
    { title: t("repair_in_time"), number: true, cell: (one) => share(one.repair.share) },
    { title: t("effectiveness"), number: true, cell: (one) => share(one.effectiveness.share) },
    ...(by() === "team" ? [] : [{ title: t("alerts_opened"), number: true, cell: (one) => count(one.alerts?.opened) }]),
  ];
  return table(columns, figures, { empty: t("figures_none"), caption: t(`by_${by()}`) });
}
