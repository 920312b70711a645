// "5 minutes ago" grows old without any news.

import { ago } from "./i18n.js";
import { now } from "./state.js";

// Elements say their instant in data-since; those with data-until vanish then.
export function updateTimes(root = document) {
  for (const element of root.querySelectorAll("[data-since]")) {
    const text = ago(new Date(element.dataset.since), now());
    // What is written again is laid out again, though it says the same.
    if (element.textContent !== text) element.textContent = text;
  }
  for (const element of root.querySelectorAll("[data-until]")) element.hidden = Date.parse(element.dataset.until) <= now();
}
