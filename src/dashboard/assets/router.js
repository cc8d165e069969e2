// Which page is shown: the part of the address behind `#`, such as `#/projects/3`.

/** Returns the path that is asked for, as its parts, and its query. */
export function current() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query ?? "") };
}

/** Goes to a path. */
export function go(path) {
  location.hash = path;
}

/** Changes the query of the path that is shown, without a step that `back` would undo. */
export function setQuery(values) {
  const path = location.hash.split("?")[0] || "#/";
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== "" && value !== undefined));
  const text = query.toString();
  history.replaceState(null, "", text ? `${path}?${text}` : path);
}

/** Has `listener` called when another page is asked for. */
export function onChange(listener) {
  addEventListener("hashchange", listener);
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
