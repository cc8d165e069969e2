// The keyboard: single keys, pairs such as `g p`, and moving through the rows of a page with `j` and `k`.

const PAIR_MS = 1_200;
let actions = {};
let first = null;
let timer;

/** Has the actions done when their keys are pressed. */
export function listen(wanted) {
  actions = wanted;
  addEventListener("keydown", press);
}

function press(event) {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    actions["Ctrl-K"]();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || isBusy(event.target)) {
    return;
  }
  const pair = first ? `${first} ${event.key}` : event.key;
  first = null;
  clearTimeout(timer);
  if (actions[pair]) {
    event.preventDefault();
    actions[pair]();
  } else if (event.key === "g") {
    first = "g";
    timer = setTimeout(() => (first = null), PAIR_MS);
  } else {
    move(event);
  }
}

/** Keys belong to what somebody types into, and to a dialog that is open. */
function isBusy(target) {
  return target.closest?.("input, textarea, select, dialog[open]") || document.querySelector("dialog[open]");
}

function move(event) {
  if (event.key === "/") {
    const field = document.querySelector(".stage input[type=search]");
    if (field) {
      event.preventDefault();
      field.focus();
      field.select();
    }
    return;
  }
  const step = { j: 1, k: -1 }[event.key];
  if (!step) {
    return;
  }
  const rows = [...document.querySelectorAll(".stage [data-row]")];
  if (rows.length > 0) {
    const at = rows.indexOf(document.activeElement?.closest("[data-row]"));
    const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
    const target = next.querySelector("a, button") ?? next;
    target.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
}
