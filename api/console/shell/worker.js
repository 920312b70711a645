// The service worker: files of the console are there at once, and without network. It exists only where the
// browser trusts the connection (HTTPS, or this machine).

export const canWork = () => "serviceWorker" in navigator;

// Registers it. To be called once the page has what it shows: what the worker fetches must not compete with that.
export function startWorker() {
  if (canWork()) navigator.serviceWorker.register("/sw.js", { scope: "/" }).catch(() => {});
}
