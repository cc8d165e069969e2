// How numbers, times and words are written.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Writes a length of time in seconds with its two largest units, such as `2h 5m`. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) {
    return "–";
  }
  if (seconds < 1) {
    return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  }
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < MINUTE) {
    return `${whole} s`;
  }
  if (whole < HOUR) {
    return `${Math.floor(whole / MINUTE)}m ${whole % MINUTE}s`;
  }
  if (whole < DAY) {
    return `${Math.floor(whole / HOUR)}h ${Math.floor((whole % HOUR) / MINUTE)}m`;
  }
  return `${Math.floor(whole / DAY)}d ${Math.floor((whole % DAY) / HOUR)}h`;
}

/** Writes how long ago a time was, roughly. */
export function ago(time) {
  if (!time) {
    return "never";
  }
  const seconds = (Date.now() - new Date(time).getTime()) / 1000;
  if (seconds < 5) {
    return seconds < -5 ? `in ${duration(-seconds)}` : "just now";
  }
  return `${duration(seconds)
    .split(" ")
    .slice(0, seconds < MINUTE ? 2 : 1)
    .join(" ")} ago`;
}

/** Writes a time of day, with the date unless it is today's. */
export function clock(time) {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  const day = isToday ? "" : `${date.toLocaleDateString(undefined, { day: "numeric", month: "short" })} `;
  return (
    day + date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false })
  );
}

/** Writes a number of bytes. */
export function bytes(number) {
  if (number === null || number === undefined) {
    return "–";
  }
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let rest = number;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${rest >= 100 || unit === 0 ? Math.round(rest) : rest.toFixed(1)} ${units[unit]}`;
}

/** Writes a share of a hundred. */
export function percent(number) {
  return number === null || number === undefined ? "–" : `${number.toFixed(number < 10 ? 1 : 0)} %`;
}

/** Writes a whole number with its thousands apart. */
export function count(number) {
  return number === null || number === undefined ? "–" : Number(number).toLocaleString("en").replaceAll(",", " ");
}

/** Writes a number of things. */
export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** Writes a word of the API for people: `crash_looping` is `crash looping`. */
export function words(name) {
  return String(name ?? "").replaceAll("_", " ");
}
