//! A message of the protocol, as far as it must be understood to be passed on over HTTP.

use serde_json::Value;

/// Where messages of the newer era say their version.
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

/// A message.
#[derive(Debug)]
pub(super) struct Message(Value);

impl Message {
    /// Reads a line, if it is an object.
    pub(super) fn read(line: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(line).ok()?;
        value.is_object().then_some(Self(value))
    }

    /// Returns the message as it came.
    pub(super) fn value(&self) -> &Value {
        &self.0
    }

    /// Returns what a request is known by; a notification has nothing like that.
    pub(super) fn id(&self) -> Option<&Value> {
        self.0.get("id").filter(|id| !id.is_null())
    }

    /// Returns what is asked for.
    pub(super) fn method(&self) -> Option<&str> {
        self.0["method"].as_str()
    }

    /// Returns the request that this message calls off.
    pub(super) fn cancelled(&self) -> Option<&Value> {
        let is_cancel = self.method() == Some("notifications/cancelled");
        self.0["params"].get("requestId").filter(|_| is_cancel)
    }

    /// Returns the headers that repeat what the message says, as HTTP wants it; `agreed` is what a handshake came to.
    pub(super) fn headers(&self, agreed: Option<&str>) -> Vec<(&'static str, String)> {
        let own = self.0["params"]["_meta"][VERSION_KEY].as_str();
        let mut headers = Vec::new();
        if let Some(version) = own.or(agreed) {
            headers.push(("mcp-protocol-version", version.to_owned()));
        }
        // Only the newer era has the others.
        if own.is_some() {
            let name = self.0["params"]["name"]
                .as_str()
                .or_else(|| self.0["params"]["uri"].as_str());
            let named = [("mcp-method", self.method()), ("mcp-name", name)];
            headers.extend(
                named
                    .into_iter()
                    .filter_map(|(header, text)| Some((header, text?.to_owned()))),
            );
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(value: Value) -> Message {
        Message::read(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn headers_repeat_what_the_message_says() {
        let meta = json!({VERSION_KEY: "2026-07-28"});
        let call = json!({"id": 1, "method": "tools/call", "params": {"name": "get_task", "_meta": meta}});
        assert_eq!(
            message(call).headers(None),
            [
                ("mcp-protocol-version", "2026-07-28".to_owned()),
                ("mcp-method", "tools/call".to_owned()),
                ("mcp-name", "get_task".to_owned()),
            ]
        );
        let legacy = message(json!({"id": 1, "method": "tools/call", "params": {"name": "get_task"}}));
        assert_eq!(
            legacy.headers(Some("2025-11-25")),
            [("mcp-protocol-version", "2025-11-25".to_owned())]
        );
        assert!(legacy.headers(None).is_empty());
    }

    #[test]
    fn only_a_cancellation_calls_something_off() {
        let cancel = message(json!({"method": "notifications/cancelled", "params": {"requestId": 7}}));
        assert_eq!((cancel.cancelled(), cancel.id()), (Some(&json!(7)), None));
        assert_eq!(
            message(json!({"id": 1, "method": "x", "params": {"requestId": 7}})).cancelled(),
            None
        );
        assert!(Message::read(b"[1]").is_none() && Message::read(b"x").is_none());
    }
}
