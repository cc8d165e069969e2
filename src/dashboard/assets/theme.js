// Dark or light: as the system has it, until somebody chooses.

const KEY = "borgos.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** Returns `dark` or `light`. */
export function current() {
  return localStorage.getItem(KEY) ?? (system.matches ? "dark" : "light");
}

/** Shows the theme that is to be shown. */
export function apply() {
  document.documentElement.dataset.theme = current();
}

/** Changes to the other one, and keeps that. */
export function toggle() {
  localStorage.setItem(KEY, current() === "dark" ? "light" : "dark");
  apply();
}

system.addEventListener("change", apply);
