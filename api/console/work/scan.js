// Reading a device's code: the browser's own reader where there is one, else a decoder that is loaded then; the id
// can always be typed.

import { openDialog } from "../shell/dialog.js";
import { h } from "../shell/dom.js";
import { field } from "../shell/forms.js";
import { t } from "../shell/i18n.js";
import { idOf } from "./rules.js";

const LOOK_MS = 200;
const SEEN = 720;

// Calls `found(id)` once; what it throws is said in the window.
export function openScan(found) {
  const video = h("video", { class: "camera", muted: true, playsinline: true, hidden: true });
  const note = h("p", { class: "meta", role: "status" }, t("camera_starting"));
  const typed = h("input", { name: "device", required: true, maxlength: 300, autocapitalize: "none", autocomplete: "off", spellcheck: "false", dir: "ltr" });
  const dialog = openDialog({
    title: t("scan"),
    body: h("div", { class: "form" }, video, note, field(t("id_of_device"), typed)),
    label: t("go_on"),
    submit: async ({ device }) => {
      const name = idOf(device);
      if (!name) throw new Error(t("no_device_id"));
      await found(name);
    },
  });
  watch(video, note, dialog, (name) => {
    typed.value = name;
    typed.form.requestSubmit();
  }).catch(() => (note.textContent = t("no_camera")));
}

async function watch(video, note, dialog, seen) {
  if (!navigator.mediaDevices) throw new Error("no camera");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  if (!dialog.isConnected) return stop();
  dialog.addEventListener("close", stop);
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  note.textContent = t("camera_how");
  const read = await reader();
  while (dialog.isConnected) {
    const name = idOf((await read(video)) ?? "");
    if (name) return seen(name);
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
  return null;
}

// Returns what reads the text of a code in a picture of the camera; null where there is none.
async function reader() {
  if ("BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats()).includes("qr_code")) {
    const detector = new BarcodeDetector({ formats: ["qr_code"] });
    return async (video) => (await detector.detect(video))[0]?.rawValue;
  }
  await import("../vendor/jsqr.js");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return (video) => {
    const scale = Math.min(1, SEEN / Math.max(video.videoWidth, video.videoHeight, 1));
    canvas.width = Math.max(1, video.videoWidth * scale);
    canvas.height = Math.max(1, video.videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    return self.jsQR(data, width, height)?.data;
  };
}
