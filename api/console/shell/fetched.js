// What a page fetches when it is first wanted: a library, its styles.

import { h } from "./dom.js";

// The result of `work`, which runs once; a failure is not kept, so that the next one who asks tries again.
export function once(work) {
  let known = null;
  return () => (known ??= work().catch((error) => {
    known = null;
    throw error;
  }));
}

// Adds styles to the page; there once they are. What is to be shown is shown without them too.
export function styled(href) {
  if (document.querySelector(`link[href="${href}"]`)) return null;
  return new Promise((done) => {
    document.head.append(h("link", { rel: "stylesheet", href, onload: done, onerror: done }));
  });
}
