// What the words for states mean: how good each is, as a tone with a colour and a shape.

const TONES = {
  good: ["running", "completed", "ready", "live", "available", "healthy"],
  busy: ["pending_build", "building", "starting", "stopping", "connecting", "scanning"],
  warn: ["unhealthy", "retryable", "interrupted", "lost", "warning", "paused"],
  bad: ["restarting", "crash_looping", "failed", "backing_off", "stuck", "gave_up", "error", "critical", "unavailable"],
};
const BY_WORD = new Map(Object.entries(TONES).flatMap(([tone, all]) => all.map((word) => [word, tone])));
const ORDER = ["good", "idle", "busy", "warn", "bad"];

/** Returns the tone of a state. */
export function tone(word) {
  return BY_WORD.get(word) ?? "idle";
}

/** Returns the tone of a task, where running is work and no success yet. */
export function taskTone(state) {
  return state === "running" ? "busy" : tone(state);
}

/** Returns the worse one of two tones. */
export function worse(one, other) {
  return ORDER.indexOf(one) >= ORDER.indexOf(other) ? one : other;
}
