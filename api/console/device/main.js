// Devices: the list of all, and the page of one. Neither loads all devices.

import { place, startAddress } from "../shell/address.js";
import { redraw, startPage } from "../shell/frame.js";
import { drawDevice, hearDevice, openDevice } from "./device.js";
import { drawList, hearList, loadList, startList } from "./list.js";

const ADDRESS = {
  read: ([, name]) => ({ device: name || null }),
  write: ({ device }) => (device ? `/devices/${encodeURIComponent(device)}` : "/devices"),
  query: {
    kind: "kind", district: "district", status: "status", words: "q", measurement: "measurement", above: "above", below: "below", sort: "sort",
    hours: "hours", from: "from", until: "until", compare: "compare",
  },
};

let greeted = false;

const hear = Object.fromEntries(["alert", "latest", "missed"].map((name) => [name, (message) => {
  hearDevice[name](message);
  hearList[name](message);
}]));
hear.command = hearDevice.command;
// What happened while the stream was away was not heard.
hear.hello = () => {
  if (greeted) hear.missed();
  greeted = true;
};

function draw() {
  drawList();
  drawDevice();
}

startAddress(ADDRESS, redraw);
startList({ redraw });
await startPage({ load: () => (place().device ? openDevice() : loadList()), draw, hear });
