use std::sync::Once;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::*;
use crate::{
    id::TaskId,
    store::tasks::Fence,
    tasks::{Prospect, Stop},
};

const KEY: &str = "sk-canary";

/// Answers one request with this status and body, and returns the request.
async fn serve(listener: TcpListener, status: &'static str, body: String) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = String::new();
    let mut buffer = [0; 4096];
    while !request.ends_with('}') {
        let num_bytes = stream.read(&mut buffer).await.unwrap();
        request.push_str(std::str::from_utf8(&buffer[..num_bytes]).unwrap());
    }
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await.unwrap();
    request
}

fn agent(address: std::net::SocketAddr) -> LlmAgent {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| rustls::crypto::ring::default_provider().install_default().unwrap());
    LlmAgent::new(Settings {
        base_url: format!("http://{address}/v1/").parse().unwrap(),
        model: "small".to_owned(),
        key: Some(KEY.to_owned()),
        system_prompt: Some("be short".to_owned()),
        max_tokens: Some(10),
    })
    .unwrap()
}

fn attempt() -> Attempt {
    Attempt {
        key: "a/b/1/1".to_owned(),
        task: TaskId(1),
        number: 1,
        project: None,
        task_type: "chat".to_owned(),
        description: "what is 6 * 7?".to_owned(),
        input_data: json!({}),
    }
}

fn control() -> (Control, watch::Sender<Option<Stop>>) {
    let (stop, stopped) = watch::channel(None);
    let fence = Fence {
        task: TaskId(1),
        attempt: 1,
    };
    (Control::new(fence, mpsc::channel(1).0, stopped), stop)
}

/// Asks a service that answers like this, and returns the result and the request.
async fn ask(status: &'static str, body: &Value) -> (Result<Output, Failure>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let agent = agent(listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(serve(listener, status, body.to_string()));
    let (control, _stop) = control();
    let result = agent.run(attempt(), control).await;
    (result, server.join_next().await.unwrap().unwrap())
}

#[tokio::test]
async fn a_model_is_asked_and_its_tokens_are_recorded() {
    let answer = json!({
        "id": "x", "model": "small-1", "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "42"}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
    });
    let (result, request) = ask("200 OK", &answer).await;
    let Output(output) = result.unwrap();
    assert_eq!(
        (&output["content"], &output["tokens"]["total_tokens"]),
        (&json!("42"), &json!(10))
    );
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1"), "{head}");
    assert!(
        head.contains(&format!("Bearer {KEY}")) && head.contains("a/b/1/1"),
        "{head}"
    );
    let body: Value = serde_json::from_str(body).unwrap();
    let expected = json!({"model": "small", "max_tokens": 10, "messages": [
        {"role": "system", "content": "be short"}, {"role": "user", "content": "what is 6 * 7?"}]});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_refusal_has_its_class_and_does_not_show_the_key() {
    for (status, kind, prospect) in [
        ("401 Unauthorized", "llm_auth", Prospect::Lasting),
        ("429 Too Many Requests", "rate_limited", Prospect::Passing),
        ("503 Service Unavailable", "llm_unavailable", Prospect::Passing),
        ("400 Bad Request", "llm_refused", Prospect::Lasting),
        ("302 Found", "llm_refused", Prospect::Lasting),
    ] {
        let said = json!({"error": {"message": format!("Incorrect API key provided: {KEY}")}});
        let failure = ask(status, &said).await.0.unwrap_err();
        assert_eq!((failure.kind, failure.prospect), (kind, prospect), "{failure}");
        assert!(
            failure.message.contains("Incorrect API key") && !failure.message.contains(KEY),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn an_answer_without_content_is_a_failure() {
    for answer in [
        json!({}),
        json!({"choices": []}),
        json!({"choices": [{"message": {"content": null}}]}),
    ] {
        assert_eq!(
            ask("200 OK", &answer).await.0.unwrap_err().kind,
            "llm_answer",
            "{answer}"
        );
    }
}

#[tokio::test]
async fn nobody_there_is_told_and_a_stop_ends_the_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let agent = agent(address);
    let (control, stop) = control();
    stop.send_replace(Some(Stop::Cancelled));
    assert_eq!(agent.run(attempt(), control).await.unwrap_err(), Failure::stopped());
    drop(listener);
    let (control, _stop) = self::control();
    let failure = agent.run(attempt(), control).await.unwrap_err();
    assert_eq!((failure.kind, failure.prospect), ("llm_unavailable", Prospect::Passing));
    assert!(!failure.message.contains(&address.port().to_string()), "{failure}");
}

#[test]
fn the_settings_do_not_show_the_key() {
    let settings = Settings {
        base_url: "http://a.example".parse().unwrap(),
        model: "m".to_owned(),
        key: Some(KEY.to_owned()),
        system_prompt: None,
        max_tokens: None,
    };
    assert!(!format!("{settings:?}").contains(KEY));
}
