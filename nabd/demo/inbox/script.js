// Brings in what has arrived, unless somebody is about to answer.

const EVERY_MS = 2000;

async function refresh() {
  const present = document.getElementById("messages");
  if (document.hidden || present.contains(document.activeElement)) return;
  const answer = await fetch(location.pathname + location.search);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const newer = page.getElementById("messages");
  if (newer && newer.innerHTML !== present.innerHTML && !present.contains(document.activeElement)) {
    present.replaceWith(newer);
  }
}

setInterval(() => refresh().catch(() => {}), EVERY_MS);
