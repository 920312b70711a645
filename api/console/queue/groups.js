// Alerts by incident, circuit or district. Pure.

export const GROUPS = ["incident", "circuit", "district"];

// Returns [{key, title (an alert's text by language, a name, or null), items}]; items: {alert, below}, below: another
// alert of the list explains it, and stands right before it or before its like.
export function grouped(alerts, by) {
  if (by === "incident") return [{ key: "", title: null, items: byIncident(alerts) }];
  if (by !== "circuit" && by !== "district") return [{ key: "", title: null, items: alerts.map((alert) => ({ alert, below: false })) }];
  const feeders = new Set(alerts.map(({ parent }) => parent).filter(Boolean));
  const groups = new Map();
  for (const alert of alerts) {
    const key = by === "district" ? alert.district : feeders.has(alert.device) ? alert.device : alert.parent;
    const group = groups.get(key ?? "") ?? { key: key ?? "", title: by === "district" ? alert.district_title : key, items: [] };
    group.items.push({ alert, below: false });
    groups.set(key ?? "", group);
  }
  return [...groups.values()].sort((a, b) => (a.key === "") - (b.key === ""));
}

function byIncident(alerts) {
  const there = new Set(alerts.map(({ id }) => id));
  const below = new Map();
  const above = [];
  for (const alert of alerts) {
    const parent = alert.inhibited_by;
    if (parent && parent !== alert.id && there.has(parent)) below.set(parent, [...(below.get(parent) ?? []), alert]);
    else above.push(alert);
  }
  const found = [];
  const add = (alert, deep) => {
    found.push({ alert, below: deep });
    const own = below.get(alert.id) ?? [];
    below.delete(alert.id);
    for (const one of own) add(one, true);
  };
  for (const alert of above) add(alert, false);
  // Two that explain each other stand alone.
  for (const own of below.values()) for (const alert of own) found.push({ alert, below: false });
  return found;
}
