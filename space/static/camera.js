/** Taking a picture with the camera, in a window of its own. */

import { find } from "./dom.js";

/** Whether the browser lets this page ask for a camera. */
export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

/**
 * Show what the camera sees until a picture is taken, or the visitor has changed their mind.
 *
 * @returns {Promise<Blob | null>}
 */
export async function takePicture() {
  const [dialog, video] = [find("camera-window"), find("camera-view")];
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  try {
    video.srcObject = stream;
    dialog.returnValue = "";
    dialog.showModal();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (dialog.returnValue !== "take" || !video.videoWidth) return null;
    const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
    canvas.getContext("2d").drawImage(video, 0, 0);
    return await canvas.convertToBlob({ type: "image/png" });
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  }
}
