// How an alert is said, wherever it is shown.

import { bdi } from "./dom.js";
import { deviceTitle, numerals, said } from "./i18n.js";

// The summary in the reader's language, the device's name in it kept from turning round.
export function sentence(alert) {
  const text = said(alert.summary, alert.rule);
  const name = text.includes(alert.device) ? alert.device : deviceTitle(alert);
  return text.split(name).flatMap((part, i) => (i ? [bdi(name), numerals(part)] : [numerals(part)]));
}
