//! Watches the bytes of an HTTP/1 connection for a request that states its length in two ways.
//!
//! Hyper follows `Transfer-Encoding` and drops `Content-Length` before anybody sees that both were there. A proxy in front
//! may have followed the other one and taken the rest for the next request (request smuggling), so such a request must be
//! refused, as RFC 9112 6.1 advises.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// How much of a header line is looked at: enough for the two names and any length.
const MAX_LINE_BYTES: usize = 64;

/// What is known about a connection, shared between the bytes and the requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Framing(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    is_ambiguous: AtomicBool,
    is_over: AtomicBool,
}

impl Framing {
    /// Says whether a request with both headers was seen, or one whose length could not be read.
    pub(super) fn is_ambiguous(&self) -> bool {
        self.0.is_ambiguous.load(Ordering::Acquire)
    }

    /// Ends the watch: what follows is no HTTP/1.
    pub(super) fn end(&self) {
        self.0.is_over.store(true, Ordering::Release);
    }
}

/// Follows one connection from head to head.
#[derive(Debug)]
pub(super) struct Scanner {
    framing: Framing,
    state: State,
}

#[derive(Debug)]
enum State {
    Head(Head),
    /// So many bytes of a body are still to come.
    Body(u64),
    /// The body comes in chunks, which are not followed: the connection is closed after this request.
    Chunks,
    /// Nothing more needs to be watched.
    Over,
}

#[derive(Debug, Default)]
struct Head {
    num_lines: usize,
    line: Vec<u8>,
    length: Option<u64>,
    is_chunked: bool,
}

impl Scanner {
    pub(super) fn new(framing: Framing) -> Self {
        Self {
            framing,
            state: State::Head(Head::default()),
        }
    }

    /// Says whether the client may still be sending a body.
    pub(super) fn is_inside_body(&self) -> bool {
        matches!(self.state, State::Body(_) | State::Chunks)
    }

    /// Looks at bytes in the order in which they arrive.
    pub(super) fn look(&mut self, mut bytes: &[u8]) {
        if self.framing.0.is_over.load(Ordering::Acquire) {
            self.state = State::Over;
        }
        while !bytes.is_empty() {
            match &mut self.state {
                State::Over | State::Chunks => return,
                State::Body(remaining) => {
                    let num_skipped = usize::try_from(*remaining).unwrap_or(usize::MAX).min(bytes.len());
                    *remaining -= num_skipped as u64;
                    bytes = &bytes[num_skipped..];
                    if *remaining == 0 {
                        self.state = State::Head(Head::default());
                    }
                }
                State::Head(head) => {
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    head.take(&bytes[..end.unwrap_or(bytes.len())]);
                    bytes = end.map_or(&[], |end| &bytes[end + 1..]);
                    if end.is_some() {
                        self.end_line();
                    }
                }
            }
        }
    }

    fn end_line(&mut self) {
        let State::Head(head) = &mut self.state else { return };
        match head.end_line() {
            Line::Inside => {}
            Line::End => match (head.is_chunked, head.length) {
                (true, Some(_)) => self.give_up(),
                (true, None) => self.state = State::Chunks,
                (false, None | Some(0)) => self.state = State::Head(Head::default()),
                (false, Some(length)) => self.state = State::Body(length),
            },
            Line::Unreadable => self.give_up(),
            Line::OtherProtocol => self.state = State::Over,
        }
    }

    fn give_up(&mut self) {
        self.framing.0.is_ambiguous.store(true, Ordering::Release);
        self.state = State::Over;
    }
}

enum Line {
    Inside,
    End,
    Unreadable,
    OtherProtocol,
}

impl Head {
    fn take(&mut self, bytes: &[u8]) {
        let num_wanted = (MAX_LINE_BYTES - self.line.len()).min(bytes.len());
        self.line.extend_from_slice(&bytes[..num_wanted]);
    }

    fn end_line(&mut self) -> Line {
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.is_empty() {
            // Empty lines before the request line are skipped, as hyper does.
            return if self.num_lines == 0 { Line::Inside } else { Line::End };
        }
        self.num_lines += 1;
        if self.num_lines == 1 {
            return if line.starts_with(b"PRI ") {
                Line::OtherProtocol
            } else {
                Line::Inside
            };
        }
        self.note(&line)
    }

    fn note(&mut self, line: &[u8]) -> Line {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return Line::Inside;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.is_chunked = true;
        } else if name.eq_ignore_ascii_case(b"content-length") {
            match std::str::from_utf8(value).ok().and_then(|value| value.parse().ok()) {
                Some(length) => self.length = Some(length),
                None => return Line::Unreadable,
            }
        }
        Line::Inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at the bytes in pieces of every size up to all at once; the answer must not depend on it.
    fn is_ambiguous(text: &str) -> bool {
        let answers: Vec<bool> = (1..=text.len())
            .map(|size| {
                let framing = Framing::default();
                let mut scanner = Scanner::new(framing.clone());
                text.as_bytes().chunks(size).for_each(|piece| scanner.look(piece));
                framing.is_ambiguous()
            })
            .collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{text:?}");
        answers[0]
    }

    #[test]
    fn a_length_stated_twice_is_seen_in_either_order() {
        let both = "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        assert!(is_ambiguous(both));
        assert!(is_ambiguous(
            "POST / HTTP/1.1\ntransfer-encoding:chunked\nHost: a\nCONTENT-LENGTH:0\n\n"
        ));
        assert!(is_ambiguous(&format!("\r\n{both}")));
    }

    #[test]
    fn it_is_seen_in_a_later_request_too() {
        let both = "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert!(is_ambiguous(&format!("GET / HTTP/1.1\r\nHost: a\r\n\r\n{both}")));
        assert!(is_ambiguous(&format!(
            "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n\n\n\n\n\n{both}"
        )));
    }

    #[test]
    fn a_length_stated_once_is_fine() {
        assert!(!is_ambiguous(
            "POST / HTTP/1.1\r\nContent-Length: 60\r\n\r\n\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"
        ));
        assert!(!is_ambiguous(
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ));
        assert!(!is_ambiguous(
            "GET / HTTP/1.1\r\nX-Content-Length: 3\r\nX: Transfer-Encoding: chunked\r\n\r\n"
        ));
        assert!(!is_ambiguous(
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nContent-Length: 3\r\nTransfer-Encoding: x\r\n\r\n"
        ));
    }

    #[test]
    fn a_length_that_cannot_be_read_is_not_trusted() {
        assert!(is_ambiguous(&format!(
            "POST / HTTP/1.1\r\nContent-Length:{}5\r\n\r\n",
            " ".repeat(80)
        )));
        assert!(is_ambiguous("POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n"));
    }

    #[test]
    fn nothing_is_watched_after_the_end() {
        let framing = Framing::default();
        let mut scanner = Scanner::new(framing.clone());
        framing.end();
        scanner.look(b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert!(!framing.is_ambiguous());
    }
}
