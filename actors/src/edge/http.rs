//! Follows the HTTP/1 messages of a connection, to know when it is between two requests.
//!
//! Nothing is changed or held back: this only looks at the bytes that pass. Between requests a connection to an app
//! carries no meaning and can be replaced by one to another instance without the client noticing. What is not HTTP/1,
//! or was and became something else (an upgrade, a tunnel), or is not understood, is *opaque* for good.

use std::collections::VecDeque;

use httparse::{EMPTY_HEADER, Header, Status};

use super::body::Body;

/// A longer head is not followed. Servers refuse heads of this size.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// Messages with more headers are not followed.
const MAX_HEADERS: usize = 100;
/// More requests that wait for their responses are not followed.
const MAX_WAITING: usize = 64;

/// What was understood of a connection so far.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    requests: Side,
    responses: Side,
    /// For each request without a response, whether that response has no body whatever its head says.
    waiting: VecDeque<IsBodiless>,
    /// The app will close the connection, which is its way to end something.
    is_closing: bool,
    is_opaque: bool,
    is_used: bool,
}

type IsBodiless = bool;

/// One direction.
#[derive(Debug, Default)]
struct Side {
    /// The part of a head that has come so far.
    head: Vec<u8>,
    body: Body,
}

/// The bytes make no sense, or more than is followed here.
#[derive(Debug)]
struct Lost;

impl Exchanges {
    /// Tells whether not a single byte has passed.
    pub(super) fn is_fresh(&self) -> bool {
        !self.is_used
    }

    /// Tells whether nothing is known of the meaning of the bytes.
    pub(super) fn is_opaque(&self) -> bool {
        self.is_opaque
    }

    /// Tells whether each request has had its whole response and nothing of a next one has come.
    pub(super) fn is_between(&self) -> bool {
        !self.is_opaque
            && !self.is_closing
            && self.waiting.is_empty()
            && self.requests.rests()
            && self.responses.rests()
    }

    /// Takes note of bytes from the client.
    pub(super) fn requested(&mut self, bytes: &[u8]) {
        self.is_used = true;
        if !self.is_opaque && self.follow_requests(bytes).is_err() {
            self.give_up();
        }
    }

    /// Takes note of bytes from the app.
    pub(super) fn responded(&mut self, bytes: &[u8]) {
        self.is_used = true;
        if !self.is_opaque && self.follow_responses(bytes).is_err() {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        *self = Self {
            is_opaque: true,
            is_used: true,
            ..Self::default()
        };
    }

    fn follow_requests(&mut self, mut bytes: &[u8]) -> Result<(), Lost> {
        while !bytes.is_empty() {
            if self.requests.body != Body::None {
                bytes = self.requests.body.skip(bytes).ok_or(Lost)?;
                continue;
            }
            let Some((request, rest)) = self.requests.next_head(bytes, parse_request)? else {
                return Ok(());
            };
            // A tunnel, or so many that nobody serves.
            if request.is_connect || self.waiting.len() >= MAX_WAITING {
                return Err(Lost);
            }
            self.waiting.push_back(request.is_head);
            self.is_closing |= request.is_last;
            self.requests.body = request.body;
            bytes = rest;
        }
        Ok(())
    }

    fn follow_responses(&mut self, mut bytes: &[u8]) -> Result<(), Lost> {
        while !bytes.is_empty() {
            if self.responses.body != Body::None {
                bytes = self.responses.body.skip(bytes).ok_or(Lost)?;
                continue;
            }
            let Some((response, rest)) = self.responses.next_head(bytes, parse_response)? else {
                return Ok(());
            };
            bytes = rest;
            match response.status {
                101 => return Err(Lost),
                100..=199 => continue,
                _ => {}
            }
            let is_bodiless = self.waiting.pop_front().ok_or(Lost)?;
            // An answer to a request that still arrives: what its sender does with the rest cannot be known.
            if self.waiting.is_empty() && !self.requests.rests() {
                return Err(Lost);
            }
            self.is_closing |= response.is_last;
            if !is_bodiless && !matches!(response.status, 204 | 304) {
                self.responses.body = response.body;
            }
        }
        Ok(())
    }
}

impl Side {
    /// Tells whether this side is at the border of two messages.
    fn rests(&self) -> bool {
        self.head.is_empty() && self.body == Body::None
    }

    /// Takes a head out of what came before and these bytes, and returns what is left of them; nothing if the head is
    /// not complete yet.
    fn next_head<'a, T>(&mut self, bytes: &'a [u8], parse: Parse<T>) -> Result<Option<(T, &'a [u8])>, Lost> {
        let num_before = self.head.len();
        if num_before > 0 {
            self.head.extend_from_slice(bytes);
        }
        let seen = if num_before > 0 { self.head.as_slice() } else { bytes };
        match parse(seen)? {
            Status::Complete((num_bytes, head)) => {
                let rest = bytes.get(num_bytes.saturating_sub(num_before)..).ok_or(Lost)?;
                self.head = Vec::new();
                Ok(Some((head, rest)))
            }
            Status::Partial if seen.len() > MAX_HEAD_BYTES => Err(Lost),
            Status::Partial => {
                if num_before == 0 {
                    self.head = bytes.to_vec();
                }
                Ok(None)
            }
        }
    }
}

type Parse<T> = fn(&[u8]) -> Result<Status<(usize, T)>, Lost>;

struct Request {
    is_connect: bool,
    is_head: bool,
    is_last: bool,
    body: Body,
}

struct Response {
    status: u16,
    is_last: bool,
    body: Body,
}

fn parse_request(bytes: &[u8]) -> Result<Status<(usize, Request)>, Lost> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let Status::Complete(num_bytes) = parsed.parse(bytes).map_err(|_| Lost)? else {
        return Ok(Status::Partial);
    };
    let request = Request {
        is_connect: parsed.method == Some("CONNECT"),
        is_head: parsed.method == Some("HEAD"),
        is_last: is_last(parsed.version, parsed.headers),
        body: body(parsed.headers)?.unwrap_or(Body::None),
    };
    Ok(Status::Complete((num_bytes, request)))
}

fn parse_response(bytes: &[u8]) -> Result<Status<(usize, Response)>, Lost> {
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut headers);
    let Status::Complete(num_bytes) = parsed.parse(bytes).map_err(|_| Lost)? else {
        return Ok(Status::Partial);
    };
    let response = Response {
        status: parsed.code.ok_or(Lost)?,
        is_last: is_last(parsed.version, parsed.headers),
        body: body(parsed.headers)?.unwrap_or(Body::UntilClose),
    };
    Ok(Status::Complete((num_bytes, response)))
}

/// Tells whether the connection ends with this message.
fn is_last(version: Option<u8>, headers: &[Header<'_>]) -> bool {
    let has_option = |option: &[u8]| values(headers, "connection").any(|value| value.eq_ignore_ascii_case(option));
    has_option(b"close") || (version == Some(0) && !has_option(b"keep-alive"))
}

/// Finds out how the body is delimited; nothing if the head does not say.
fn body(headers: &[Header<'_>]) -> Result<Option<Body>, Lost> {
    if let Some(coding) = values(headers, "transfer-encoding").last() {
        let is_chunked = coding.eq_ignore_ascii_case(b"chunked");
        return Ok(Some(if is_chunked { Body::chunked() } else { Body::UntilClose }));
    }
    let mut lengths = values(headers, "content-length");
    let Some(length) = lengths.next() else { return Ok(None) };
    if lengths.any(|other| other != length) {
        return Err(Lost);
    }
    let length = std::str::from_utf8(length).ok().and_then(|text| text.parse().ok());
    length.map(Body::sized).map(Some).ok_or(Lost)
}

/// Iterates over the comma-separated values of all headers of that name.
fn values<'a>(headers: &'a [Header<'_>], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let named = headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name));
    named
        .flat_map(|header| header.value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests;
