// The service worker: files of the console are there at once, and without network. It exists only where the
// browser trusts the connection (HTTPS, or this machine).

export const canWork = () => "serviceWorker" in navigator;

// Registers it once the page is there: what it keeps must not compete with what the reader waits for.
export function startWorker() {
  if (!canWork()) return;
  const register = () => navigator.serviceWorker.register("/sw.js", { scope: "/" }).catch(() => {});
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}
