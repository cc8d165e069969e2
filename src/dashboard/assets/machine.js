// How the machine is, sampled for as long as the dashboard is open.

import { get } from "/assets/api.js";

const EVERY_MS = 5_000;
/** Half an hour. */
const MAX_SAMPLES = 360;

/** Kept for as long as the tab is open, so that a page that is loaded again still has a past. */
const KEY = "borgos.samples";
const samples = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
const watchers = new Set();
let timer;

/** The last answer of the service about itself, if there was one. */
export let status;

/** Returns what was seen of one number, oldest first, as pairs of time and value. */
export function history(name) {
  return samples.map((sample) => [sample.at, sample[name]]);
}

/** Has `watcher` called after each sample. Returns what ends that. */
export function watch(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Begins to sample. */
export function start() {
  stop();
  timer = setInterval(sample, EVERY_MS);
  sample();
}

/** Ends that. */
export function stop() {
  clearInterval(timer);
}

async function sample() {
  if (document.visibilityState !== "visible") {
    return;
  }
  try {
    status = await get("status");
  } catch {
    // The banner says that the service is away; a gap in the line shows since when.
    return;
  }
  const { cpu_percent, memory_percent, disk_percent } = status;
  samples.push({ at: Date.now(), cpu_percent, memory_percent, disk_percent });
  samples.splice(0, samples.length - MAX_SAMPLES);
  sessionStorage.setItem(KEY, JSON.stringify(samples));
  watchers.forEach((watcher) => watcher(status));
}
