// How bad a line of output is, as far as it says so itself.

const WORDS = [
  ["error", /\b(?:error|err|fatal|panic(?:ked)?|critical|exception|traceback)\b/i],
  ["warning", /\b(?:warn|warning)\b/i],
  ["info", /\b(?:info|notice)\b/i],
  ["debug", /\b(?:debug|trace)\b/i],
];
/** A level stands at the beginning of a line. */
const HEAD_CHARS = 120;

/** Returns the level of a line without its colours, or an empty text. */
export function levelOf(text) {
  const head = text.slice(0, HEAD_CHARS);
  const json = /"(?:level|severity)"\s*:\s*"(\w+)"/.exec(head);
  const found = WORDS.find(([, pattern]) => pattern.test(json ? json[1] : head));
  return found ? found[0] : "";
}
