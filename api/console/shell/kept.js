// What this browser keeps of a person in IndexedDB: answers of the API, drafts, and what waits for the network.
//
// Values stand under a name in "values"; "waiting" holds what is still to be sent, in order. Must not know what
// they are. Where storage is forbidden every call fails, and the page goes on without.

const NAME = "nabd";
const VERSION = 1;
const DOCUMENTS = "nabd-documents";

let opened = null;
// Somebody has signed out: what is still under way for them is not kept any more.
let over = false;

function database() {
  opened ??= new Promise((done, failed) => {
    const asked = indexedDB.open(NAME, VERSION);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("values");
      asked.result.createObjectStore("waiting", { keyPath: "id", autoIncrement: true });
    };
    asked.onsuccess = () => {
      // Another page deletes it, or is of a later version.
      asked.result.onversionchange = () => (asked.result.close(), (opened = null));
      done(asked.result);
    };
    asked.onerror = () => failed(asked.error);
    asked.onblocked = () => failed(new Error("blocked"));
  });
  opened.catch(() => (opened = null));
  return opened;
}

// Does one thing in one store; what it returns is there when it is written.
async function act(store, mode, work) {
  const transaction = (await database()).transaction(store, mode);
  const asked = work(transaction.objectStore(store));
  return new Promise((done, failed) => {
    transaction.oncomplete = () => done(asked.result);
    transaction.onabort = transaction.onerror = () => failed(transaction.error);
  });
}

const write = (...what) => (over ? Promise.reject(new Error("signed out")) : act(...what));

export const readValue = (name) => act("values", "readonly", (store) => store.get(name));
export const valueNames = () => act("values", "readonly", (store) => store.getAllKeys());
export const keepValue = (name, value) => write("values", "readwrite", (store) => store.put(value, name));
export const dropValue = (name) => act("values", "readwrite", (store) => store.delete(name));
export const allWaiting = () => act("waiting", "readonly", (store) => store.getAll());
export const keepWaiting = (entry) => write("waiting", "readwrite", (store) => store.put(entry));
export const dropWaiting = (id) => act("waiting", "readwrite", (store) => store.delete(id));

// How much still waits to be sent; 0 where nothing can be kept.
export const waiting = () => act("waiting", "readonly", (store) => store.count()).catch(() => 0);

// Forgets the answers and drafts of whoever was here before; what waits stays theirs until they come back.
export const forgetValues = () => act("values", "readwrite", (store) => store.clear());

// Forgets everything of a person: they sign out.
export async function forgetPerson() {
  over = true;
  await act("values", "readwrite", (store) => store.clear()).catch(() => {});
  await act("waiting", "readwrite", (store) => store.clear()).catch(() => {});
  if ("caches" in window) await caches.delete(DOCUMENTS);
}
