// The desk: what is wrong, the worst first, and where.

import { numbered, startAddress } from "../shell/address.js";
import { $, h } from "../shell/dom.js";
import { redraw, startPage } from "../shell/frame.js";
import { language, said, t } from "../shell/i18n.js";
import { state } from "../shell/state.js";
import { hearTown, loadTown } from "../shell/town.js";
import { drawMap, startMap } from "../map/map.js";
import { drawCounters } from "./counters.js";
import { drawQueue, forgetPast, hearOfPast, refreshDetails, startQueue, welcome } from "./queue.js";

const ADDRESS = {
  read: ([room, name]) => ({ alert: room === "alerts" ? numbered(name) : null }),
  write: ({ alert }) => (alert ? `/alerts/${alert}` : "/"),
  query: { severity: "severity" },
};

const hear = {
  ...hearTown,
  hello() {
    forgetPast();
    hearTown.hello();
  },
  alert({ event, alert }) {
    const fresh = !state.alerts.has(alert.id) && alert.state === "firing";
    hearTown.alert({ alert });
    hearOfPast(alert);
    if (fresh && event.type === "opened" && !alert.inhibited_by) announce(alert);
    refreshDetails(alert.id);
  },
};

function announce(alert) {
  if (!language()) return;
  welcome(alert.id);
  const severity = t(`severity_${alert.severity}`);
  $("announce").replaceChildren(h("p", {}, t("announce", { severity, summary: said(alert.summary, alert.rule) })));
}

function draw() {
  drawCounters();
  drawQueue();
  drawMap();
}

startAddress(ADDRESS, redraw);
startMap({ openDevice: (device) => location.assign(`/devices/${encodeURIComponent(device)}`) });
startQueue({ redraw });
await startPage({ load: loadTown, draw, hear });
