// Dark or light: as the system has it, until somebody chooses.

const KEY = "borgos.theme";
const listeners = new Set();
const system = matchMedia("(prefers-color-scheme: dark)");

/** Returns `dark` or `light`. */
export function current() {
  return localStorage.getItem(KEY) ?? (system.matches ? "dark" : "light");
}

/** Has `listener` called when the other one is shown. */
export function onChange(listener) {
  listeners.add(listener);
}

/** Shows the theme that is to be shown. */
export function apply() {
  document.documentElement.dataset.theme = current();
  listeners.forEach((listener) => listener());
}

/** Changes to the other one, and keeps that. */
export function toggle() {
  localStorage.setItem(KEY, current() === "dark" ? "light" : "dark");
  apply();
}

system.addEventListener("change", apply);
