// Asks the API. Everything that the dashboard shows or does goes through here.

import { authorization } from "/assets/session.js";

const PREFIX = "/api/v1/";
/** A question that is refused since there were too many is asked again that often. */
const MAX_TRIES = 3;
const LONGEST_WAIT_S = 20;

/** An answer that is no success, or none at all: then its status is 0. */
export class ApiError extends Error {
  constructor(status, body) {
    super(body.message ?? `the service answered ${status}`);
    this.status = status;
    this.code = body.code ?? "";
  }
}

let whenRefused = () => {};

/** Has `listener` called when the service wants a credential, or another one. */
export function onRefused(listener) {
  whenRefused = listener;
}

/** Asks for what is at a path below `/api/v1/`. */
export async function get(path, { signal } = {}) {
  const response = await ask("GET", path, { signal });
  return response.json();
}

/** Asks for a page of a list. Returns its rows, and how many there are in all. */
export async function list(path, { signal } = {}) {
  const response = await ask("GET", path, { signal });
  const body = await response.json();
  const rows = Array.isArray(body) ? body : body.data;
  return { rows, total: Number(response.headers.get("X-Total-Count") ?? rows.length) };
}

/** Asks for a text that comes bit by bit. Returns its reader. */
export async function stream(path, { signal } = {}) {
  const response = await ask("GET", path, { signal, headers: { Accept: "application/x-ndjson" } });
  return response.body.pipeThrough(new TextDecoderStream()).getReader();
}

/** Asks for something to be done. */
export async function act(method, path, body) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  const response = await ask(method, path, { headers, body: body === undefined ? undefined : JSON.stringify(body) });
  return response.json();
}

/** Asks, and gives back the answer as it came. */
export async function ask(method, path, { signal, headers = {}, body } = {}) {
  for (let tries = 1; ; tries += 1) {
    const response = await send(method, PREFIX + path, { signal, headers, body });
    if (response.ok) {
      return response;
    }
    if (response.status === 429 && tries < MAX_TRIES) {
      await pause(response, signal);
      continue;
    }
    const error = new ApiError(response.status, await response.json().catch(() => ({})));
    if (response.status === 401) {
      whenRefused(error);
    }
    throw error;
  }
}

async function send(method, address, { signal, headers, body }) {
  const credential = authorization();
  try {
    return await fetch(address, {
      method,
      body,
      signal,
      headers: credential ? { ...headers, Authorization: credential } : headers,
      credentials: "omit",
      cache: "no-store",
    });
  } catch (cause) {
    if (cause.name === "AbortError") {
      throw cause;
    }
    throw new ApiError(0, { message: "the service does not answer" });
  }
}

function pause(response, signal) {
  const seconds = Math.min(Number(response.headers.get("Retry-After")) || 1, LONGEST_WAIT_S);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
