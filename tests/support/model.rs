//! A service that speaks the chat completions protocol, and says what a test tells it to.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Decides about an answer from the request's body: a status and a body.
type Script = dyn Fn(&Value) -> (u16, Value) + Send + Sync;

/// The service. It ends when it is dropped.
pub(crate) struct ModelService {
    address: String,
    asked: Arc<Mutex<Vec<Value>>>,
    _server: JoinSet<()>,
}

impl ModelService {
    /// Starts a service that answers as the script says.
    pub(crate) async fn start(script: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Arc::new(script), asked.clone()));
        Self {
            address,
            asked,
            _server: server,
        }
    }

    /// Returns its base address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns what it was asked, first to last.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.asked.lock().expect("no script panics").clone()
    }

    /// Returns an answer that calls a tool.
    pub(crate) fn call(name: &str, arguments: &Value) -> (u16, Value) {
        let function = json!({"name": name, "arguments": arguments.to_string()});
        Self::answer(json!({"role": "assistant", "content": null, "tool_calls": [
            {"id": format!("call_{name}"), "type": "function", "function": function}]}))
    }

    /// Returns an answer in words.
    pub(crate) fn say(words: &str) -> (u16, Value) {
        Self::answer(json!({"role": "assistant", "content": words}))
    }

    fn answer(message: Value) -> (u16, Value) {
        let choice = json!({"index": 0, "finish_reason": "stop", "message": message});
        let usage = json!({"prompt_tokens": 40, "completion_tokens": 2, "total_tokens": 42});
        (
            200,
            json!({"id": "x", "object": "chat.completion", "model": "tiny-1", "choices": [choice], "usage": usage}),
        )
    }
}

async fn serve(listener: TcpListener, script: Arc<Script>, asked: Arc<Mutex<Vec<Value>>>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        // One at a time: the one who asks waits for each answer.
        if let Err(error) = answer(stream, &*script, &asked).await {
            eprintln!("a client of the model was lost: {error}");
        }
    }
}

/// Answers one request and ends the connection.
async fn answer(stream: TcpStream, script: &Script, asked: &Mutex<Vec<Value>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(std::io::Error::other)?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let question: Value = serde_json::from_slice(&body)?;
    let (status, said) = script(&question);
    asked.lock().expect("no script panics").push(question);
    let said = said.to_string();
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        said.len()
    );
    stream.write_all((head + &said).as_bytes()).await?;
    stream.flush().await
}
