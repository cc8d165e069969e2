//! Reads small XML files as a tree. No entity is expanded but the five of XML itself, and no DTD is looked at.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};

use super::syntax::{Broken, line_at};

/// Project descriptions nest about ten levels deep.
const MAX_DEPTH: usize = 64;

/// An element with its own text and the elements in it.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// Returns the first element below nested names.
    pub(super) fn find(&self, names: &[&str]) -> Option<&Self> {
        let child =
            |parent: &Self, name: &str| -> Option<usize> { parent.children.iter().position(|node| node.name == name) };
        names.iter().try_fold(self, |parent, name| {
            child(parent, name).map(|index| &parent.children[index])
        })
    }

    /// Returns the trimmed text of the first element below nested names, unless it is blank.
    pub(super) fn text(&self, names: &[&str]) -> Option<&str> {
        let trimmed = self.find(names)?.text.trim();
        (!trimmed.is_empty()).then_some(trimmed)
    }

    /// Iterates over the elements of one name in the element below nested names.
    pub(super) fn each(&self, names: &[&str], name: &'static str) -> impl Iterator<Item = &Self> {
        let children = self.find(names).map(|parent| parent.children.iter());
        children.into_iter().flatten().filter(move |child| child.name == name)
    }
}

/// Reads a document and returns its root element.
pub(super) fn read(source: &str) -> Result<Element, Broken> {
    let mut reader = Reader::from_str(source);
    // The first is the document itself, in which the root element is.
    let mut open = vec![Element::default()];
    loop {
        let event = reader
            .read_event()
            .map_err(|cause| broken(source, &reader, &cause.to_string()))?;
        if matches!(event, Event::Eof) {
            break;
        }
        apply(&mut open, &event);
        if open.len() > MAX_DEPTH {
            return Err(broken(source, &reader, "is nested too deeply"));
        }
    }
    if open.len() > 1 {
        return Err(Broken::new(
            Some(line_at(source.as_bytes(), source.len())),
            "ends inside an element",
        ));
    }
    let document = open.pop().unwrap_or_default();
    let root = document.children.into_iter().next();
    root.ok_or_else(|| Broken::new(None, "has no element"))
}

/// Says that the file is broken where the reader stands.
pub(super) fn broken(source: &str, reader: &Reader<&[u8]>, message: &str) -> Broken {
    let offset = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
    Broken::new(Some(line_at(source.as_bytes(), offset)), message)
}

fn apply(open: &mut Vec<Element>, event: &Event<'_>) {
    match event {
        Event::Start(tag) => open.push(named(tag.local_name().as_ref())),
        Event::Empty(tag) => add_child(open, named(tag.local_name().as_ref())),
        Event::End(_) => {
            if let Some(closed) = open.pop() {
                add_child(open, closed);
            }
        }
        Event::Text(text) => add_text(open, &text.xml10_content()),
        Event::CData(text) => add_text(open, &text.xml10_content()),
        Event::GeneralRef(entity) => {
            add_text(
                open,
                resolve_predefined_entity(&entity.xml10_content()).unwrap_or_default(),
            );
        }
        Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_) | Event::Eof => {}
    }
}

fn named(name: &str) -> Element {
    Element {
        name: name.to_owned(),
        ..Element::default()
    }
}

fn add_child(open: &mut [Element], child: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(child);
    }
}

fn add_text(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_by_the_names_above_them() {
        let root = read("<?xml version=\"1.0\"?><a><!-- x --><b><c> 1 &amp; 2 </c><c>3</c></b></a>").unwrap();
        assert_eq!(root.text(&["b", "c"]), Some("1 & 2"));
        assert_eq!(root.each(&["b"], "c").count(), 2);
        assert_eq!(root.text(&["b", "d"]), None);
    }

    #[test]
    fn broken_files_say_where() {
        let broken = read("<a>\n<b>\n</a>").unwrap_err();
        assert_eq!(broken.line, Some(3), "{broken:?}");
        let broken = read("<a>\n<b>").unwrap_err();
        assert_eq!(broken.line, Some(2), "{broken:?}");
        assert!(read("").is_err());
    }

    #[test]
    fn entities_of_a_document_are_not_expanded() {
        let bomb = "<!DOCTYPE a [<!ENTITY x \"xxxxxxxxxx\"><!ENTITY y \"&x;&x;&x;&x;\">]><a>&y;</a>";
        assert_eq!(read(bomb).unwrap().text, "");
        assert!(read(&"<a>".repeat(100_000)).is_err());
    }
}
