// The live stream: one WebSocket for the whole dashboard. It comes back by itself, and with what was missed meanwhile.

import { ApiError, act } from "/assets/api.js";
import { authorization } from "/assets/session.js";

const CHANNELS = ["projects", "deployments", "errors", "tasks", "agent-zero", "actors", "system"];
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** A browser does not show the pings of the protocol, so the service is asked this often whether it is there. */
const PING_MS = 20_000;
const PONG_MS = 10_000;
const PATIENCE_MS = 300;

const listeners = new Set();
const watchers = new Set();
/** How far the stream was read, by channel. */
const offsets = new Map();
let epoch;
let socket;
let pause = FIRST_PAUSE_MS;
let retry;
let deadline;
let isWanted = false;
/** A ticket is being asked for, so a socket is about to be opened. */
let isAsking = false;

/** `connecting` at first, `live`, `lost`, or `polled` where there is no stream; `since` is when it became so. */
export const state = { name: "connecting", since: new Date() };

/** Has `listener` called with each event. Returns what ends that. */
export function onEvent(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Has `watcher` called when the connection changes. */
export function onChange(watcher) {
  watchers.add(watcher);
}

/** Opens the stream, and keeps it open. Returns once it is open, or takes too long to be waited for. */
export function open() {
  isWanted = true;
  connect();
  return new Promise((resolve) => {
    const settle = () => {
      watchers.delete(settle);
      resolve();
    };
    watchers.add(settle);
    setTimeout(settle, PATIENCE_MS);
  });
}

/** Closes the stream, until it is opened again. */
export function close() {
  isWanted = false;
  clearTimeout(retry);
  socket?.close();
}

async function connect() {
  clearTimeout(retry);
  if (isAsking) {
    return;
  }
  isAsking = true;
  let protocols;
  try {
    protocols = await ticket();
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) {
      become("polled");
    } else {
      lose();
    }
    return;
  } finally {
    isAsking = false;
  }
  if (!isWanted) {
    return;
  }
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const opened = new WebSocket(`${scheme}//${location.host}/ws`, protocols);
  socket = opened;
  opened.onopen = () => subscribe(opened);
  opened.onmessage = ({ data }) => take(opened, JSON.parse(data));
  opened.onclose = () => {
    if (socket === opened) {
      lose();
    }
  };
}

/**
 * A browser cannot send a credential with a WebSocket, so it sends a ticket that was given for one. A service without
 * tickets cannot be listened to; its pages are loaded anew now and then.
 */
async function ticket() {
  if (!authorization()) {
    return [];
  }
  const given = await act("POST", "auth/ticket");
  // The service accepts the first one; the other is a credential, which it does not send back.
  return ["borgos", `borgos.ticket.${given.ticket}`];
}

function subscribe(opened) {
  const message = { type: "subscribe", channels: CHANNELS, ref: "live" };
  if (epoch) {
    message.since = Object.fromEntries(offsets);
    message.epoch = epoch;
  }
  opened.send(JSON.stringify(message));
  listen(opened);
}

/** Asks for a sign of life now and then. */
function listen(opened) {
  clearTimeout(deadline);
  deadline = setTimeout(() => {
    if (opened.readyState !== WebSocket.OPEN) {
      return;
    }
    opened.send(JSON.stringify({ type: "ping", ref: "alive" }));
    deadline = setTimeout(() => opened.close(), PONG_MS);
  }, PING_MS);
}

function take(opened, frame) {
  listen(opened);
  if (frame.type === "ack") {
    acknowledge(frame.channels ?? {});
  } else if (frame.type === "lagged") {
    offsets.set(frame.channel, frame.to);
    tell({ type: "missed", channel: frame.channel, data: {} });
  } else if (frame.channel) {
    offsets.set(frame.channel, frame.offset);
    tell(frame);
  }
}

function acknowledge(channels) {
  const isFirst = epoch === undefined;
  let isComplete = true;
  for (const [channel, position] of Object.entries(channels)) {
    offsets.set(channel, position.offset);
    epoch = position.epoch;
    isComplete &&= position.recovered !== false;
  }
  pause = FIRST_PAUSE_MS;
  become("live");
  if (!isFirst && !isComplete) {
    tell({ type: "missed", channel: "", data: {} });
  }
}

function lose() {
  clearTimeout(deadline);
  socket = undefined;
  if (!isWanted) {
    return;
  }
  become("lost");
  retry = setTimeout(connect, pause * (0.5 + Math.random() / 2));
  pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
}

function become(name) {
  if (state.name !== name) {
    state.name = name;
    state.since = new Date();
    watchers.forEach((watcher) => watcher(state));
  }
}

function tell(event) {
  listeners.forEach((listener) => listener(event));
}

function hurry() {
  if (isWanted && !socket && document.visibilityState === "visible") {
    pause = FIRST_PAUSE_MS;
    connect();
  }
}

addEventListener("online", hurry);
document.addEventListener("visibilitychange", hurry);
