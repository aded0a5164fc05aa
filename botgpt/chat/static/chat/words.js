// What happened, in words: what to make of an error, and when it is worth trying again.

import { Refused, Unreachable } from "./api.js";

const IN_VAIN = new Set([400, 403, 404, 413, 415, 422]); // the same request would get the same answer

/** `{title, detail, wait, mayPass}` of an error: seconds to wait, or null, and whether it is worth trying again. */
export function inWords(error) {
  if (error instanceof Unreachable) {
    return words("No connection", "The service cannot be reached. Nothing of yours is lost.");
  }
  if (!(error instanceof Refused)) {
    console.error(error);
    return words("Something went wrong on this page", String(error?.message ?? error));
  }
  const { status, code, message, wait, body } = error;
  const mayPass = !IN_VAIN.has(status);
  if (code === "budget_exceeded") {
    return words("Your budget is used up", `${message} It is full again ${moment(body.resets_at)}.`);
  }
  if (status === 429) return words("That was a lot at once", "A little patience, then go on.", { wait });
  if (status === 503) return words("The service is busy or away", message, { wait });
  if (code === "turn_in_progress") {
    return words("A reply is being written here already", "Perhaps in another window. Wait for it, then ask.", {
      wait,
    });
  }
  if (status === 404) return words("Not here", message, { mayPass });
  const fields = Object.values(body.fields ?? {}).flat();
  return words(body.error || "That did not work", fields.join(" ") || message, { wait, mayPass });
}

const words = (title, detail, { wait = null, mayPass = true } = {}) => ({ title, detail, wait, mayPass });

/** A moment from now on: "at 14:05", "on Friday at 02:00", "on 1 December at 00:00". */
export function moment(iso) {
  const date = new Date(iso);
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const days = (date - Date.now()) / 86_400_000;
  if (date.toDateString() === new Date().toDateString()) return `at ${time}`;
  const shape = days < 6 ? { weekday: "long" } : { day: "numeric", month: "long" };
  return `on ${date.toLocaleDateString([], shape)} at ${time}`;
}

/** "1 document", "3 documents". */
export const count = (number, noun) => `${number.toLocaleString()} ${noun}${number === 1 ? "" : "s"}`;
