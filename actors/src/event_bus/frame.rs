//! Events as readers get them. An event is serialised once; the text is shared by all who read it.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Channel;

/// An event whose text is longer is announced without its data, so that every frame fits into every queue and buffer.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// One event on one channel, ready to be sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    /// The channel.
    pub channel: Channel,
    /// The event's place in the channel: one more than that of the event before it.
    pub offset: i64,
    /// The event as a JSON object.
    pub text: Bytes,
}

/// The part of an event's text that is the same on all of its channels.
pub(super) struct Body(String);

impl Body {
    /// Serialises an event.
    pub(super) fn new(kind: &str, data: &Value, at: DateTime<Utc>) -> Self {
        let body = json!({"type": kind, "data": data, "at": at}).to_string();
        if body.len() <= MAX_BODY_BYTES {
            return Self(body);
        }
        let id = data.get("id").unwrap_or(&Value::Null);
        Self(json!({"type": kind, "data": {"id": id, "is_truncated": true}, "at": at}).to_string())
    }

    /// Makes the frame for one channel.
    pub(super) fn frame(&self, epoch: &str, channel: Channel, offset: i64) -> Arc<Frame> {
        // The body is an object that is not empty: its closing brace makes room for the channel's own keys.
        let body = self.0.strip_suffix('}').unwrap_or(&self.0);
        let id = Value::from(format!("{epoch}-{offset}"));
        let text = format!(r#"{body},"channel":"{channel}","offset":{offset},"id":{id}}}"#);
        Arc::new(Frame {
            channel,
            offset,
            text: Bytes::from(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(frame: &Frame) -> Value {
        serde_json::from_slice(&frame.text).unwrap()
    }

    #[test]
    fn a_frame_is_the_documented_object_with_more_keys() {
        let at = "2024-01-15T10:30:00Z".parse().unwrap();
        let body = Body::new(
            "deployment_status",
            &json!({"id": 1, "status": "running", "port": 8090}),
            at,
        );
        let frame = body.frame("e1", "deployments:1".parse().unwrap(), 4);
        assert_eq!(
            parsed(&frame),
            json!({
                "type": "deployment_status",
                "data": {"id": 1, "status": "running", "port": 8090},
                "channel": "deployments:1",
                "offset": 4,
                "id": "e1-4",
                "at": "2024-01-15T10:30:00Z",
            })
        );
    }

    #[test]
    fn too_much_data_is_announced_without_it() {
        let body = Body::new(
            "error_logged",
            &json!({"id": 9, "message": "x".repeat(MAX_BODY_BYTES)}),
            Utc::now(),
        );
        let frame = body.frame("e1", "errors".parse().unwrap(), 1);
        assert!(frame.text.len() < 1024);
        assert_eq!(parsed(&frame)["data"], json!({"id": 9, "is_truncated": true}));
    }
}
