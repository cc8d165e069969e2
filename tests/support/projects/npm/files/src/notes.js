export function add(notes, text) {
  return [...notes, { id: notes.length, text };
}
