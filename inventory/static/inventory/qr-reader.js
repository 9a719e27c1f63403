// Reads QR codes from a video: by the browser's own detector where there is one (Android, ChromeOS), else by jsQR
// (Apache-2.0, in vendor/), which is fetched only then. Codes are read here and nowhere else: no picture leaves the device.

const LONGEST_SIDE = 720; // Enough for a ticket held before the camera; more only takes longer.

/** Return {read(video)}, which resolves to the texts of the codes in the present frame. */
export async function qrReader() {
  const formats = (await globalThis.BarcodeDetector?.getSupportedFormats()) ?? [];
  return formats.includes("qr_code") ? nativeReader() : scriptReader();
}

function nativeReader() {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  return { read: async (video) => (await detector.detect(video)).map(({ rawValue }) => rawValue) };
}

async function scriptReader() {
  await import("./vendor/jsqr-1.4.0.js");
  const canvas = document.createElement("canvas");
  const pencil = canvas.getContext("2d", { willReadFrequently: true });
  return {
    async read(video) {
      const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight, 1));
      canvas.width = Math.round(video.videoWidth * scale);
      canvas.height = Math.round(video.videoHeight * scale);
      if (!canvas.width || !canvas.height) return [];
      pencil.drawImage(video, 0, 0, canvas.width, canvas.height);
      const frame = pencil.getImageData(0, 0, canvas.width, canvas.height);
      const found = globalThis.jsQR(frame.data, frame.width, frame.height, { inversionAttempts: "dontInvert" });
      return found?.data ? [found.data] : [];
    },
  };
}
