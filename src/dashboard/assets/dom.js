// Builds elements, and brings a tree that is shown to what it should be.
//
// Text that comes from outside only ever becomes text nodes and attributes here; nothing in the dashboard makes markup of
// it, and the policy that the files are served with would refuse it.

const SVG = "http://www.w3.org/2000/svg";
/** Set as properties: the attribute only holds what they were at first. */
const PROPERTIES = new Set(["value", "checked"]);

/**
 * Makes an HTML element. Properties that begin with `on` are listeners; `key` tells it from its neighbours when they change
 * places. Children that are null or false are left out.
 */
export function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** Makes an SVG element. */
export function s(tag, properties, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/** Makes a place for an element that takes care of itself and is not touched when what is around it changes. */
export function slot(key, element) {
  const place = h("div", { key, class: "slot" });
  place.content = element;
  if (!element.isConnected) {
    place.append(element);
  }
  return place;
}

/** Brings `shown` to what `wanted` is. Focus, selection and scroll positions stay, since elements do. */
export function morph(shown, wanted) {
  if (shown === wanted) {
    return;
  }
  if (!isSame(shown, wanted)) {
    furnish(wanted);
    shown.replaceWith(wanted);
    return;
  }
  if (shown.nodeType === Node.TEXT_NODE) {
    if (shown.data !== wanted.data) {
      shown.data = wanted.data;
    }
    return;
  }
  if (wanted.content) {
    if (shown.content !== wanted.content) {
      shown.content = wanted.content;
      shown.replaceChildren(wanted.content);
    }
    return;
  }
  copyAttributes(shown, wanted);
  copyListeners(shown, wanted);
  morphChildren(shown, wanted);
  copyProperties(shown, wanted);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    set(element, name, value);
  }
  append(element, children);
  // A choice can only be made among options that are there.
  if (properties?.value !== undefined && element.tagName === "SELECT") {
    element.value = properties.value;
  }
  return element;
}

function set(element, name, value) {
  if (value === undefined || value === null || value === false) {
    return;
  }
  if (name === "key") {
    element.key = String(value);
  } else if (name.startsWith("on")) {
    (element.listeners ??= new Set()).add(name);
    element[name] = value;
  } else if (PROPERTIES.has(name)) {
    (element.properties ??= new Set()).add(name);
    element[name] = value;
  } else if (name === "href" && !isSafe(value)) {
    element.setAttribute("title", "this address is not followed");
  } else {
    element.setAttribute(name, value === true ? "" : value);
  }
}

/** Only places within the dashboard and ordinary pages are linked to. */
function isSafe(address) {
  return /^(#|\/|https?:\/\/)/.test(address);
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) {
      append(element, child);
    } else if (child instanceof Node) {
      element.append(child);
    } else if (child !== null && child !== undefined && child !== false) {
      element.append(String(child));
    }
  }
}

function isSame(shown, wanted) {
  return shown.nodeType === wanted.nodeType && shown.nodeName === wanted.nodeName && shown.key === wanted.key;
}

function copyAttributes(shown, wanted) {
  for (const { name } of [...shown.attributes]) {
    // What somebody has unfolded stays so.
    if (!wanted.hasAttribute(name) && name !== "open") {
      shown.removeAttribute(name);
    }
  }
  for (const { name, value } of wanted.attributes) {
    if (shown.getAttribute(name) !== value) {
      shown.setAttribute(name, value);
    }
  }
}

function copyListeners(shown, wanted) {
  for (const name of new Set([...(shown.listeners ?? []), ...(wanted.listeners ?? [])])) {
    shown[name] = wanted[name] ?? null;
  }
  shown.listeners = wanted.listeners;
}

function copyProperties(shown, wanted) {
  for (const name of wanted.properties ?? []) {
    // What somebody is typing is theirs.
    const isTheirs = name === "value" && shown === document.activeElement;
    if (!isTheirs && shown[name] !== wanted[name]) {
      shown[name] = wanted[name];
    }
  }
}

function morphChildren(shown, wanted) {
  const keyed = new Map();
  for (const child of shown.childNodes) {
    if (child.key !== undefined) {
      keyed.set(child.key, child);
    }
  }
  let place = shown.firstChild;
  for (const child of [...wanted.childNodes]) {
    const match = child.key === undefined ? place : keyed.get(child.key);
    if (match && isSame(match, child)) {
      if (match === place) {
        place = place.nextSibling;
      } else {
        shown.insertBefore(match, place);
      }
      morph(match, child);
    } else {
      furnish(child);
      shown.insertBefore(child, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

/** Moves what belongs into the places of a new tree there. */
function furnish(tree) {
  if (tree.nodeType !== Node.ELEMENT_NODE) {
    return;
  }
  for (const place of [tree, ...tree.querySelectorAll(".slot")]) {
    if (place.content && !place.firstChild) {
      place.append(place.content);
    }
  }
}
