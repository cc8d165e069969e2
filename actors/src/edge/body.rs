//! Where the body of an HTTP/1 message ends.

/// What is left of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Body {
    /// Nothing.
    #[default]
    None,
    /// So many bytes.
    Sized(u64),
    /// Chunks.
    Chunked(Chunk),
    /// All that comes before the connection is closed.
    UntilClose,
}

/// A place within a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    /// In the line with the size of a chunk.
    Size {
        size: u64,
        num_digits: u8,
        is_in_extension: bool,
    },
    /// Within a chunk: so many bytes are left of it and of the line break after it.
    Data(u64),
    /// In the lines after the last chunk, which an empty one ends.
    Trailer { is_line_empty: bool },
}

/// A chunk of a size with more digits than this cannot be real.
const MAX_SIZE_DIGITS: u8 = 15;
const LINE_BREAK_BYTES: u64 = 2;

const NEXT_CHUNK: Chunk = Chunk::Size {
    size: 0,
    num_digits: 0,
    is_in_extension: false,
};

impl Body {
    pub(super) fn sized(num_bytes: u64) -> Self {
        match num_bytes {
            0 => Self::None,
            _ => Self::Sized(num_bytes),
        }
    }

    pub(super) fn chunked() -> Self {
        Self::Chunked(NEXT_CHUNK)
    }

    /// Goes on by these bytes and returns those after the end; nothing if they are not what a body consists of.
    pub(super) fn skip<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::None => Some(bytes),
            Self::UntilClose => Some(&[]),
            Self::Sized(left) => {
                let rest = take(left, bytes);
                *self = Self::sized(*left);
                Some(rest)
            }
            Self::Chunked(chunk) => {
                let (next, rest) = skip_chunks(*chunk, bytes)?;
                *self = next.map_or(Self::None, Self::Chunked);
                Some(rest)
            }
        }
    }
}

fn take<'a>(left: &mut u64, bytes: &'a [u8]) -> &'a [u8] {
    let num_taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
    *left -= num_taken as u64;
    bytes.get(num_taken..).unwrap_or_default()
}

/// Returns where in the chunks the bytes end, nothing if the body ends before them, and those after the body.
fn skip_chunks(mut chunk: Chunk, mut bytes: &[u8]) -> Option<(Option<Chunk>, &[u8])> {
    while let Some((first, rest)) = bytes.split_first() {
        chunk = match chunk {
            Chunk::Data(mut left) => {
                bytes = take(&mut left, bytes);
                if left == 0 { NEXT_CHUNK } else { Chunk::Data(left) }
            }
            Chunk::Trailer { is_line_empty: true } if *first == b'\n' => return Some((None, rest)),
            _ => {
                bytes = rest;
                after_byte(chunk, *first)?
            }
        };
    }
    Some((Some(chunk), bytes))
}

/// Goes on by one byte outside of a chunk's data.
fn after_byte(chunk: Chunk, byte: u8) -> Option<Chunk> {
    let next = match (chunk, byte) {
        (Chunk::Data(_), _) => chunk,
        (_, b'\r') => chunk,
        (Chunk::Trailer { .. }, _) => Chunk::Trailer {
            is_line_empty: byte == b'\n',
        },
        (Chunk::Size { num_digits: 0, .. }, b'\n') => return None,
        (Chunk::Size { size: 0, .. }, b'\n') => Chunk::Trailer { is_line_empty: true },
        (Chunk::Size { size, .. }, b'\n') => Chunk::Data(size + LINE_BREAK_BYTES),
        (
            Chunk::Size {
                is_in_extension: true, ..
            },
            _,
        ) => chunk,
        (Chunk::Size { size, num_digits, .. }, b';' | b' ' | b'\t') => Chunk::Size {
            size,
            num_digits,
            is_in_extension: true,
        },
        (Chunk::Size { size, num_digits, .. }, digit) if num_digits < MAX_SIZE_DIGITS => Chunk::Size {
            size: size * 16 + u64::from(char::from(digit).to_digit(16)?),
            num_digits: num_digits + 1,
            is_in_extension: false,
        },
        (Chunk::Size { .. }, _) => return None,
    };
    Some(next)
}
