// The credential of the person in front of this page. It is kept for as long as the tab is open, and never longer.

const KEY = "borgos.credential";
let credential = sessionStorage.getItem(KEY);

/** Returns the value of the `Authorization` header, or null. */
export function authorization() {
  return credential;
}

/** Uses a token from now on. */
export function useToken(token) {
  keep(`Bearer ${token}`);
}

/** Uses a name and a password from now on. */
export function usePassword(name, password) {
  const bytes = new TextEncoder().encode(`${name}:${password}`);
  keep(`Basic ${btoa(String.fromCharCode(...bytes))}`);
}

/** Forgets the credential. */
export function forget() {
  credential = null;
  sessionStorage.removeItem(KEY);
}

function keep(value) {
  credential = value;
  sessionStorage.setItem(KEY, value);
}
