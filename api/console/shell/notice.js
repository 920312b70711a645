// How a new alert is noticed by somebody who does not look: count in the tab's title, sound, notice of the browser.
// Sound and notice are off until somebody wants them; the choice is this browser's.

import { h } from "./dom.js";
import { checkbox, field, select } from "./forms.js";
import { number, t } from "./i18n.js";
import { SEVERITIES } from "./state.js";

const KEPT = "nabd.notice";
const TITLE = "Nabd نبض";
// Hz; the worse, the higher and the longer.
const TONES = { critical: [880, 660, 880], major: [740, 587], minor: [523], warning: [440] };
const TONE_S = 0.18;

let sounds = null;

export function choices() {
  const fallback = { sound: false, browser: false, from: "major" };
  try {
    return { ...fallback, ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") };
  } catch {
    return fallback; // storage may be forbidden
  }
}

export const isMuted = () => !choices().sound && !choices().browser;

function keep(chosen) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(chosen));
  } catch {
    // as above
  }
}

export function showUnseen(count) {
  document.title = count ? `(${number(count, 0)}) ${TITLE}` : TITLE;
}

// A new alert; nothing happens where it is less severe than what somebody wants to be told of.
export function notify(alert, text, open) {
  const { sound, browser, from } = choices();
  if (SEVERITIES.indexOf(alert.severity) > SEVERITIES.indexOf(from)) return;
  if (sound) beep(alert.severity);
  if (!browser || globalThis.Notification?.permission !== "granted") return;
  const { lang, dir } = document.documentElement;
  show(t(`severity_${alert.severity}`), { body: text, tag: `nabd-${alert.id}`, lang, dir, data: { url: `/alerts/${alert.id}` } }, open);
}

// Phones show notices of a service worker only; where there is none, the page shows its own.
async function show(title, options, open) {
  const registration = await navigator.serviceWorker?.getRegistration("/").catch(() => null);
  try {
    if (registration?.active) return await registration.showNotification(title, options);
    const shown = new Notification(title, options);
    shown.onclick = () => {
      focus();
      shown.close();
      open();
    };
  } catch {
    // a phone without a worker shows none, and it may be forbidden meanwhile; the sound and the tab's title tell
  }
  return undefined;
}

function beep(severity) {
  sounds ??= new AudioContext();
  sounds.resume();
  TONES[severity].forEach((frequency, i) => {
    const tone = new OscillatorNode(sounds, { frequency });
    const loud = new GainNode(sounds, { gain: 0.12 });
    const at = sounds.currentTime + i * TONE_S * 1.3;
    tone.connect(loud).connect(sounds.destination);
    tone.start(at);
    tone.stop(at + TONE_S);
  });
}

// A window to choose how one is told here.
export async function openNotices(openDialog, done) {
  const chosen = choices();
  const form = h("div", { class: "form" },
    checkbox({ name: "sound", checked: chosen.sound }, t("notice_sound")),
    checkbox({ name: "browser", checked: chosen.browser }, t("notice_browser")),
    field(t("notice_from"), select({ name: "from" }, SEVERITIES.map((one) => [one, t(`severity_${one}`)]), chosen.from)),
    h("small", {}, t("notice_how")));
  openDialog({
    title: t("notices"),
    body: form,
    async submit({ sound, browser, from }) {
      if (browser && (await globalThis.Notification?.requestPermission?.()) !== "granted") throw new Error(t("notice_refused"));
      keep({ sound: Boolean(sound), browser: Boolean(browser), from });
      // The click that saves is what browsers want before they make a sound.
      if (sound) beep(from);
      done();
    },
  });
}
