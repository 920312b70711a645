// Administration: one part at a time, by the address. A part is loaded when it is opened.

import { startAddress } from "../shell/address.js";
import { startPage } from "../shell/frame.js";
import { drawStage } from "./stage.js";

const ADDRESS = {
  read: ([, part, name]) => ({ part: part || null, name: name || null }),
  write: ({ part, name }) => ["/admin", part, part && name].filter(Boolean).map((one, i) => (i ? encodeURIComponent(one) : one)).join("/"),
  query: { words: "q", kind: "kind", town: "municipality", who: "who", subject: "subject", verb: "action", reason: "reason", device: "device", tab: "tab" },
};

startAddress(ADDRESS, drawStage);
await startPage({ draw: drawStage, spoken: drawStage });
