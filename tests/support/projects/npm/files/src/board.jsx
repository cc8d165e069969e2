import React from "react";

// A board shows its notes.
export function Board({ notes }) {
  return <ul>{notes.map((note) => <li key={note.id}>{note.text}</li>)}</ul>;
}
