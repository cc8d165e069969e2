//! Why a connection ends, as the close code that the client sees. Clients act on the codes: they are part of the API.

use tokio_tungstenite::tungstenite::{
    Error, Utf8Bytes,
    error::CapacityError,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The service stops. 1001: come back.
    Stopping,
    /// The client read too slowly. 1013: come back with `since`.
    Slow,
    /// Events were lost to a client that could not be told which. 1013: come back and look afresh.
    Missed,
    /// The client sent too much after being told so. 1008.
    Flood,
    /// The client's credential was revoked or has expired. 1008.
    Unauthorized,
    /// The client sent binary data. 1003.
    Binary,
    /// The client sent more than 64 KiB at once. 1009.
    TooBig,
    /// The client sent text that is no UTF-8. 1007.
    NotText,
    /// The client broke the WebSocket protocol. 1002.
    Protocol,
    /// The client did not answer a ping. 4001, of our own: 1006 cannot be sent.
    NoPong,
    /// The client closed.
    Closed,
    /// The connection broke. Nobody is left to tell.
    Broken,
}

impl Ending {
    /// Returns what the client is told, unless there is nobody to tell.
    pub(super) fn close_frame(self) -> Option<CloseFrame> {
        let (code, reason) = match self {
            Self::Stopping => (CloseCode::Away, "the service stops, reconnect"),
            Self::Slow => (CloseCode::Again, "too slow, reconnect with `since`"),
            Self::Missed => (CloseCode::Again, "events were missed, reconnect"),
            Self::Flood => (CloseCode::Policy, "too many messages"),
            Self::Unauthorized => (CloseCode::Policy, "the credential is no longer valid"),
            Self::Binary => (CloseCode::Unsupported, "only text is understood"),
            Self::TooBig => (CloseCode::Size, "a message has at most 64 KiB"),
            Self::NotText => (CloseCode::Invalid, "text must be UTF-8"),
            Self::Protocol => (CloseCode::Protocol, "the protocol was broken"),
            Self::NoPong => (CloseCode::Library(4001), "no pong came"),
            Self::Closed | Self::Broken => return None,
        };
        Some(CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        })
    }
}

impl From<Error> for Ending {
    fn from(error: Error) -> Self {
        match error {
            Error::ConnectionClosed | Error::AlreadyClosed => Self::Closed,
            Error::Capacity(CapacityError::MessageTooLong { .. }) => Self::TooBig,
            Error::Utf8(_) => Self::NotText,
            Error::Protocol(_) => Self::Protocol,
            other => {
                tracing::debug!(error = &other as &dyn std::error::Error, "a connection broke");
                Self::Broken
            }
        }
    }
}
