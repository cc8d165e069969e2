// Command lines that do what a button does.

/** Puts a command line together; words are quoted where a shell would take them apart. */
export function command(...parts) {
  return ["borgos", ...parts].map((part) => quoted(String(part))).join(" ");
}

/** Puts a request together as a command line, for what `borgos` has no command of its own for. */
export function request(method, path) {
  return `curl -X ${method} ${quoted(`${location.origin}/api/v1/${path}`)}`;
}

function quoted(text) {
  return /^~?[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
