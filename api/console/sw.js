// The console without network. In front of this stands EDITION: {version, files, languages, rooms}.
//
// Files and texts of an edition are kept whole and answered at once; documents come from the platform, and from
// what was kept while it is away. The API is never kept here: /work keeps what it needs itself, by person.

const FILES = `nabd-files-${EDITION.version}`;
const DOCUMENTS = "nabd-documents";
const SLOW_MS = 4000;
const TEXTS = "/console/texts/";

// The platform was replaced, and the worker of the new edition is not there yet: nothing kept fits its pages.
let outdated = false;

addEventListener("install", (event) => event.waitUntil(keepAll().then(() => skipWaiting())));

addEventListener("activate", (event) => event.waitUntil(takeOver()));

async function keepAll() {
  const cache = await caches.open(FILES);
  await cache.addAll(EDITION.files.map((url) => new Request(url, { cache: "no-cache" })));
  for (const language of EDITION.languages) await fetchTexts(`${TEXTS}work.json`, language);
  // Whoever is not signed in gets another page here, which is not kept.
  await fetchDocument(new Request("/work", { headers: { Accept: "text/html" } }), "work").catch(() => {});
}

async function takeOver() {
  for (const name of await caches.keys()) {
    if (name.startsWith("nabd-") && name !== FILES && name !== DOCUMENTS) await caches.delete(name);
  }
  await clients.claim();
}

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  const room = roomOf(url);
  if (request.mode === "navigate" && room) event.respondWith(documentOf(request, room));
  // A guide comes in the reader's language, by its header.
  else if (outdated || !url.pathname.startsWith("/console/") || url.pathname.startsWith("/console/guide/")) return;
  else if (url.pathname.startsWith(TEXTS)) event.respondWith(textsOf(request, url.pathname));
  else event.respondWith(fileOf(request));
});

const roomOf = (address) => EDITION.rooms[new URL(address).pathname.split("/")[1]];

async function documentOf(request, room) {
  const kept = await caches.match(`/${room}`, { cacheName: DOCUMENTS });
  try {
    const answer = await inTime(fetchDocument(request, room), kept);
    return kept && answer.status >= 502 ? kept : answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

// A network that is there and does not answer is as good as none, where there is something to show.
const inTime = (work, kept) => Promise.race([work, ...(kept ? [new Promise((_, fail) => setTimeout(fail, SLOW_MS))] : [])]);

async function fetchDocument(request, room) {
  const answer = await fetch(request);
  if (!answer.ok || answer.redirected) return answer;
  const body = await answer.clone().text();
  if (body.includes(`content="${EDITION.version}"`)) {
    await (await caches.open(DOCUMENTS)).put(`/${room}`, answer.clone());
  } else if (body.includes("nabd-version")) {
    outdated = true;
    registration.update();
  }
  return answer;
}

async function fileOf(request) {
  const cache = await caches.open(FILES);
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

async function textsOf(request, path) {
  const wanted = (request.headers.get("Accept-Language") ?? "").split(",").map((part) => part.trim().slice(0, 2).toLowerCase());
  const language = wanted.find((one) => EDITION.languages.includes(one)) ?? EDITION.languages[0];
  const kept = await (await caches.open(FILES)).match(`${path}?${language}`, { ignoreVary: true });
  return kept ?? fetchTexts(path, language);
}

async function fetchTexts(path, language) {
  const answer = await fetch(path, { headers: { "Accept-Language": language } });
  if (answer.ok) await (await caches.open(FILES)).put(`${path}?${language}`, answer.clone());
  return answer;
}

addEventListener("push", (event) => event.waitUntil(tell(event.data)));

async function tell(data) {
  const { title, body, url, tag, severity } = read(data);
  await registration.showNotification(title, {
    body,
    tag,
    renotify: Boolean(tag),
    requireInteraction: severity === "critical",
    icon: "/console/icons/192.png",
    badge: "/console/icons/192.png",
    data: { url },
  });
}

function read(data) {
  try {
    return { title: "Nabd", ...data.json() };
  } catch {
    return { title: "Nabd" }; // a browser takes the subscription away where nothing is shown
  }
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.url));
});

async function open(asked) {
  const url = new URL(asked ?? "/", location.origin);
  if (url.origin !== location.origin) return;
  const windows = await clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((one) => one.url === url.href);
  const desk = windows.find((one) => roomOf(one.url) === "queue");
  if (there) await there.focus();
  else if (desk && roomOf(url) === "queue") {
    // A desk that is open shows it without being loaded anew.
    await desk.focus();
    desk.postMessage({ open: url.pathname });
  } else await clients.openWindow(url.href);
}
