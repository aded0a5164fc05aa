// The public REST API and nothing else. Every answer from 400 up becomes a Refused, no answer at all an Unreachable.

const BASE = "/api/v1";
const NO_ANSWER = new Set([502, 504]); // a proxy speaks, not the service

/** The service said no. `code` is stable; `wait` is how many seconds to stay away, or null. */
export class Refused extends Error {
  constructor(status, body, wait) {
    super(body.detail || body.error || `The service answered ${status}.`);
    Object.assign(this, { status, code: body.code || "", wait, body });
  }
}

/** Nothing came back: the network, or the service, is away. */
export class Unreachable extends Error {}

/** The address of an endpoint, for links and uploads. */
export const address = (path) => BASE + path;

/** What makes the session's cookie count: our page has been told the token, those of others have not. */
export function csrfToken() {
  return document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";
}

/** A new key for a send that may be repeated. */
export function idempotencyKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The answer as it is, when it is a good one. */
export async function send(method, path, { body, key, events, signal } = {}) {
  const headers = { Accept: events ? "text/event-stream" : "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = csrfToken();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let response;
  try {
    response = await fetch(address(path), { method, headers, body: JSON.stringify(body), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable("The service cannot be reached.");
  }
  if (!response.ok) throw await refusal(response.status, () => response.json(), response.headers.get("Retry-After"));
  return response;
}

/** The answer's JSON. */
export async function call(method, path, options) {
  const response = await send(method, path, options);
  return response.status === 204 ? null : response.json();
}

export const get = (path, options) => call("GET", path, options);

/**
 * The error that a status stands for. Without a login there is nothing to see here: the page leaves for it, but only
 * when whoever asked has had the error, and kept what was typed.
 */
export async function refusal(status, read, retryAfter) {
  if (NO_ANSWER.has(status)) return new Unreachable("The service cannot be reached.");
  let body = {};
  try {
    body = await read();
  } catch {
    // not from the service itself
  }
  if (status === 401) setTimeout(() => location.assign(`/login?next=${encodeURIComponent(location.pathname)}`));
  return new Refused(status, body, retryAfter ? Number(retryAfter) : null);
}

/** A query string of what is given. */
export function query(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== "" && value != null);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
