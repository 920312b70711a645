// Photos made small on the phone: at most 1600 pixels long, as JPEG.

const LONGEST = 1600;
const QUALITY = 0.8;
const PREVIEW = 240;

// Returns {file, preview}: a Blob to send, and an address that an image can show.
export async function compressed(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    const blob = await new Promise((done) => drawn(picture, LONGEST).toBlob(done, "image/jpeg", QUALITY));
    return { file: blob, preview: drawn(picture, PREVIEW).toDataURL("image/jpeg", QUALITY) };
  } finally {
    picture.close();
  }
}

function drawn(picture, longest) {
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}
