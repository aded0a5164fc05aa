// Uploads: how far the bytes are, then how far the reading is.

import { Unreachable, address, csrfToken, get, refusal } from "./api.js";

const POLL = 700; // milliseconds

/** The stored document when it has been read; `onProgress(share, what)` is told from 0 to 1. */
export async function upload(file, onProgress) {
  let document = await sent(file, (share) => onProgress(share, share < 1 ? "Uploading" : "Reading"));
  while (["pending", "processing"].includes(document.status)) {
    onProgress(document.progress / 100, "Reading");
    await new Promise((later) => setTimeout(later, POLL));
    document = await get(`/documents/${document.id}`);
  }
  if (document.status === "failed") throw new Error(document.error);
  return document;
}

/** By the older interface, since fetch does not say how far it is. */
function sent(file, onProgress) {
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append("file", file);
  return new Promise((resolve, reject) => {
    request.open("POST", address("/documents"));
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("Accept", "application/json");
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    request.onerror = () => reject(new Unreachable("The service cannot be reached."));
    request.onload = async () => {
      const read = () => JSON.parse(request.responseText);
      if (request.status < 400) resolve(read());
      else reject(await refusal(request.status, read, request.getResponseHeader("Retry-After")));
    };
    request.send(form);
  });
}
