// Colours that programs print: escape sequences become pieces of text with classes; all others are left out.

const SEQUENCE =
  /\x1b\[([\d;]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/g;
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/** Takes a line apart. Returns pieces of `text` with the `classes` that they are to have. */
export function pieces(line) {
  const found = [];
  let style = {};
  let end = 0;
  for (const match of line.matchAll(SEQUENCE)) {
    push(found, line.slice(end, match.index), style);
    end = match.index + match[0].length;
    if (match[2] === "m") {
      style = changed(style, match[1]);
    }
  }
  push(found, line.slice(end), style);
  return found;
}

/** Returns a line without its sequences. */
export function plain(line) {
  return line.replace(SEQUENCE, "");
}

function push(found, text, style) {
  if (text) {
    const classes = [style.colour && `ansi-${style.colour}`, style.isBold && "ansi-bold", style.isDim && "ansi-dim"];
    found.push({ text, classes: classes.filter(Boolean).join(" ") });
  }
}

function changed(style, codes) {
  const next = { ...style };
  const numbers = codes.split(";").map(Number);
  for (let at = 0; at < numbers.length; at += 1) {
    const code = numbers[at];
    if (code === 0) {
      Object.assign(next, { colour: undefined, isBold: false, isDim: false });
    } else if (code === 1) {
      next.isBold = true;
    } else if (code === 2) {
      next.isDim = true;
    } else if (code === 22) {
      next.isBold = next.isDim = false;
    } else if (code === 39) {
      next.colour = undefined;
    } else if (code === 38 || code === 48) {
      // Of 256 and of 16 million colours only what follows is skipped: a page has its own palette.
      at += numbers[at + 1] === 5 ? 2 : 4;
    } else {
      next.colour = NAMES[code - 30] ?? NAMES[code - 90] ?? next.colour;
    }
  }
  return next;
}
