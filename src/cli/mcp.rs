//! `borgos mcp`: the Model Context Protocol over standard input and output, for programs that start their tools.
//!
//! It decides nothing. Each message that comes as a line is sent to the running service's `/mcp`, and what the service
//! answers is a line again. Messages are answered side by side, so a slow tool holds up no other, and a client that calls
//! a request off ends the request to the service with it.

mod message;

use std::collections::HashMap;

use clap::Args;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Stdin, Stdout, stdin, stdout},
    task::{AbortHandle, Id, JoinSet},
};

use self::message::Message;
use super::{
    Failure,
    client::{Client, Remote},
};

/// The largest message that is read; the service takes no larger one.
const MAX_LINE_BYTES: u64 = 1024 * 1024;
/// As many messages are answered at a time; more wait in the pipe.
const MAX_OPEN: usize = 32;
/// The protocol's code for a request that could not be carried out.
const INTERNAL_ERROR: i64 = -32603;
const PARSE_ERROR: i64 = -32700;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    remote: Remote,
}

/// Speaks until standard input ends.
///
/// # Errors
/// Says when no service answers, before the first message is read, or when the client is gone.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let client = Client::new(&arguments.remote)?;
    client.get_any("/health").await?;
    let mut bridge = Bridge {
        client,
        output: stdout(),
        version: None,
        open: JoinSet::new(),
        ids: HashMap::new(),
    };
    bridge.run(BufReader::new(stdin())).await
}

struct Bridge {
    client: Client,
    output: Stdout,
    /// What `initialize` has agreed on; messages of the era that has no such thing say it themselves.
    version: Option<String>,
    open: JoinSet<Option<Value>>,
    /// Which request each open message is, so that it can be called off.
    ids: HashMap<Id, (Value, AbortHandle)>,
}

impl Bridge {
    async fn run(&mut self, mut input: BufReader<Stdin>) -> Result<(), Failure> {
        let mut line = Vec::new();
        let mut has_ended = false;
        while !has_ended || !self.open.is_empty() {
            tokio::select! {
                read = read_line(&mut input, &mut line), if !has_ended && self.open.len() < MAX_OPEN => {
                    has_ended = !read?;
                    self.take(&std::mem::take(&mut line)).await?;
                }
                Some(answered) = self.open.join_next_with_id() => {
                    let (id, answer) = match answered {
                        Ok(answered) => answered,
                        // It was called off, which is answered by silence.
                        Err(error) => (error.id(), None),
                    };
                    self.ids.remove(&id);
                    if let Some(answer) = answer {
                        self.write(&answer).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn take(&mut self, line: &[u8]) -> Result<(), Failure> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let Some(message) = Message::read(line) else {
            return self
                .write(&refusal(&Value::Null, PARSE_ERROR, "the line is no JSON object"))
                .await;
        };
        if let Some(cancelled) = message.cancelled() {
            for (_, open) in self.ids.values().filter(|(id, _)| id == cancelled) {
                open.abort();
            }
        }
        let headers = message.headers(self.version.as_deref());
        let is_handshake = message.method() == Some("initialize");
        let client = self.client.clone();
        let id = message.id().cloned();
        let asked = id.clone();
        let send = async move {
            match (client.post_message("/mcp", &headers, message.value()).await, asked) {
                (Ok(answer), _) => answer,
                (Err(failure), Some(id)) => Some(refusal(&id, INTERNAL_ERROR, &failure.to_string())),
                (Err(failure), None) => {
                    tracing::debug!(%failure, "a notification was not taken");
                    None
                }
            }
        };
        if is_handshake {
            // What follows depends on the version that is agreed on here.
            let answer = send.await.unwrap_or_default();
            self.version = answer["result"]["protocolVersion"].as_str().map(str::to_owned);
            return self.write(&answer).await;
        }
        let handle = self.open.spawn(send);
        self.ids.insert(handle.id(), (id.unwrap_or_default(), handle));
        Ok(())
    }

    async fn write(&mut self, message: &Value) -> Result<(), Failure> {
        let line = format!("{message}\n");
        let written = self.output.write_all(line.as_bytes()).await;
        let flushed = match written {
            Ok(()) => self.output.flush().await,
            Err(error) => Err(error),
        };
        flushed.map_err(|error| Failure::General(format!("standard output cannot be written: {error}")))
    }
}

/// Reads a line, and returns whether there are more. May be dropped at any time: what was read stays in `line`.
async fn read_line(input: &mut BufReader<Stdin>, line: &mut Vec<u8>) -> Result<bool, Failure> {
    let room = MAX_LINE_BYTES.saturating_sub(line.len() as u64);
    let read = input.take(room).read_until(b'\n', line).await;
    let num_bytes = read.map_err(|error| Failure::General(format!("standard input cannot be read: {error}")))?;
    match num_bytes {
        _ if line.ends_with(b"\n") => Ok(true),
        _ if line.len() as u64 >= MAX_LINE_BYTES => Err(Failure::General(format!(
            "a message has more than {MAX_LINE_BYTES} bytes"
        ))),
        _ => Ok(false),
    }
}

fn refusal(id: &Value, code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}
