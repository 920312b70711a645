// Devices: the list of all, and the page of one.

import { startAddress } from "../shell/address.js";
import { redraw, startPage } from "../shell/frame.js";
import { hearTown, loadTown } from "../shell/town.js";
import { drawDevice, refreshDevice } from "./device.js";
import { drawList, startList } from "./list.js";

const ADDRESS = {
  read: ([, name]) => ({ device: name || null }),
  write: ({ device }) => (device ? `/devices/${encodeURIComponent(device)}` : "/devices"),
  query: { kind: "kind", words: "q", hours: "hours" },
};

const hear = {
  ...hearTown,
  latest(message) {
    hearTown.latest(message);
    refreshDevice(new Set(message.items.map((one) => one.device)));
  },
};

function draw() {
  drawList();
  drawDevice();
}

startAddress(ADDRESS, redraw);
startList({ redraw });
await startPage({ load: loadTown, draw, hear });
