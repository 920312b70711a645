// Requests to the API. Errors carry the problem's title, which is in the reader's language already.

import { language, wanted } from "./i18n.js";

async function request(method, url, body, headers = {}, encode = JSON.stringify) {
  const response = await fetch(url, {
    method,
    headers: {
      "Accept-Language": language() ?? wanted(),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    body: body === undefined || body instanceof Blob ? body : encode(body),
  });
  // The sign-in has run out; the page that asks for it comes instead of this one.
  if (response.status === 401) signInAgain();
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(answer.title ?? response.statusText), { status: response.status, retry_s: Number(response.headers.get("Retry-After")) || null, ...answer });
  return answer;
}

// What is kept of the pages is not for who is not signed in: without it the worker waits for the platform's answer.
async function signInAgain() {
  await globalThis.caches?.delete("nabd-documents").catch(() => false);
  location.reload();
}

export const get = (url) => request("GET", url);

// Makes a command that is sent twice be done once.
export const newKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

export const post = (url, body, key = newKey()) => request("POST", url, body, { "Idempotency-Key": key });

// Sends a file as it is.
export const upload = (url, file) => request("POST", url, file, { "Content-Type": file.type });

export const put = (url, body, headers) => request("PUT", url, body, headers);

export const patch = (url, body, headers) => request("PATCH", url, body, headers);

// A body that is text of another kind, as YAML, CSV or GeoJSON are.
export const sendText = (method, url, text, type, headers) => request(method, url, text, { ...headers, "Content-Type": type }, (body) => body);

// Some deletions have to prove something, in their body.
export const remove = (url, body) => request("DELETE", url, body);
