// What happened, in words: what to make of an error, and when it is worth trying again.

import { Refused, Unreachable } from "./api.js";

/** `{title, detail, wait}` of an error; `wait` is a number of seconds, or null. */
export function inWords(error) {
  if (error instanceof Unreachable) {
    return { title: "No connection", detail: "The service cannot be reached. Nothing of yours is lost.", wait: null };
  }
  if (!(error instanceof Refused)) {
    console.error(error);
    return { title: "Something went wrong on this page", detail: String(error?.message ?? error), wait: null };
  }
  const { status, code, message, wait, body } = error;
  if (code === "budget_exceeded") {
    const reset = `It is full again ${moment(body.resets_at)}.`;
    return { title: "Your budget is used up", detail: `${message} ${reset}`, wait: null };
  }
  if (status === 429) return { title: "That was a lot at once", detail: "A little patience, then go on.", wait };
  if (status === 503) return { title: "The service is busy or away", detail: message, wait };
  if (code === "turn_in_progress") {
    return {
      title: "A reply is being written here already",
      detail: "Perhaps in another window. Wait for it, then ask.",
      wait,
    };
  }
  if (status === 404) return { title: "Not here", detail: message, wait: null };
  if (status === 413) return { title: "Too large", detail: message, wait: null };
  return { title: body.error || "That did not work", detail: message, wait };
}

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
