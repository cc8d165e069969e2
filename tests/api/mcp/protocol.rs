//! The Model Context Protocol, spoken by its official client.

use reqwest::Method;
use rmcp::{
    RoleClient, ServiceExt,
    model::{CallToolRequestParams, ReadResourceRequestParams, ResourceContents},
    service::RunningService,
    transport::{StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig},
};
use serde_json::{Value, json};

use super::project;
use crate::support::{Answer, Http, Runtime, Setup, World};

const TOKEN: &str = "let-me-in-0123456789";

type Client = RunningService<RoleClient, ()>;

async fn connect(world: &World) -> Client {
    let config = StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", world.base_url())).auth_header(TOKEN);
    ().serve(StreamableHttpClientTransport::from_config(config))
        .await
        .expect("the client is welcome")
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> (Option<bool>, Value) {
    let request = CallToolRequestParams::new(tool).with_arguments(arguments.as_object().cloned().unwrap());
    let result = client.call_tool(request).await.expect("the tool is known");
    (
        result.is_error,
        result.structured_content.expect("the answer is structured"),
    )
}

#[tokio::test]
async fn the_official_client_lists_and_calls_tools_and_reads_resources() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let id = project(&world).await;
    let client = connect(&world).await;
    let tools = client.list_all_tools().await.unwrap();
    assert_eq!(tools.len(), 20);
    assert!(tools.is_sorted_by_key(|tool| tool.name.clone()));
    let stop = tools.iter().find(|tool| tool.name == "stop_deployment").unwrap();
    let annotations = stop.annotations.as_ref().unwrap();
    assert_eq!(
        (annotations.read_only_hint, annotations.destructive_hint),
        (Some(false), Some(true))
    );

    let (is_error, projects) = call(&client, "list_projects", json!({})).await;
    assert_eq!(is_error, Some(false));
    assert_eq!(
        (&projects["items"][0]["id"], &projects["total"]),
        (&json!(id), &json!(1))
    );
    let (_, files) = call(
        &client,
        "list_files",
        json!({"project_id": id, "lang": "Python", "limit": 2}),
    )
    .await;
    assert_eq!(files, json!({"items": ["main.py", "models.py"], "total": 4}));
    let (_, found) = call(&client, "search_code", json!({"query": "total", "project_id": id})).await;
    assert_eq!(found["items"][0]["content"], "def total(items):");
    let logged = json!({"error_type": "runtime", "severity": "error", "message": "it broke", "project_id": id});
    assert_eq!(call(&client, "log_error", logged).await.1["id"], 1);
    assert_eq!(
        call(&client, "get_errors", json!({})).await.1["items"][0]["message"],
        "it broke"
    );
    let (is_error, refused) = call(&client, "stop_deployment", json!({"deployment_id": 99})).await;
    assert_eq!((is_error, &refused["error"]["code"]), (Some(true), &json!("NOT_FOUND")));
    let (is_error, refused) = call(&client, "stop_deployment", json!({"deployment": 1})).await;
    assert_eq!(
        (is_error, &refused["error"]["code"]),
        (Some(true), &json!("INVALID_FIELD"))
    );
    assert!(client.call_tool(CallToolRequestParams::new("rm")).await.is_err());

    let resources = client.list_all_resources().await.unwrap();
    assert_eq!(resources[0].uri, format!("borgos://projects/{id}"));
    assert_eq!(client.list_all_resource_templates().await.unwrap().len(), 2);
    let details: Value = serde_json::from_str(&read(&client, &resources[0].uri).await).unwrap();
    assert_eq!(details["name"], "myproject");
    let readme = read(&client, &format!("borgos://projects/{id}/files/README.md")).await;
    assert!(readme.starts_with("# My project"));
    for uri in [
        "borgos://projects/99",
        "borgos://projects/1/files/../../secret",
        "file:///etc/passwd",
    ] {
        assert!(
            client.read_resource(ReadResourceRequestParams::new(uri)).await.is_err(),
            "{uri}"
        );
    }
    client.cancel().await.unwrap();
    world.close().await;
}

async fn read(client: &Client, uri: &str) -> String {
    let result = client.read_resource(ReadResourceRequestParams::new(uri)).await.unwrap();
    match result.contents.into_iter().next() {
        Some(ResourceContents::TextResourceContents { text, .. }) => text,
        other => panic!("{uri} is {other:?}"),
    }
}

/// Sends one message as it goes over the wire.
async fn send(client: &Http, headers: &[(&str, &str)], message: &Value) -> Answer {
    let mut request = client.request(Method::POST, "/mcp");
    request = request.header("accept", "application/json, text/event-stream");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::to(request.json(message)).await.unwrap()
}

#[tokio::test]
async fn both_eras_of_the_protocol_are_spoken_behind_the_guard() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let answer = send(&world, &[], &hello).await;
    assert!(!answer.headers.contains_key("mcp-session-id"));
    let answer = answer.expect(200);
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(answer["result"]["serverInfo"]["name"], "borgos");
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(
        send(&world, &[("mcp-protocol-version", "2025-11-25")], &ready)
            .await
            .status,
        202
    );

    let modern = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"}}}});
    let headers = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/list")];
    let answer = send(&world, &headers, &modern).await.expect(200);
    assert_eq!(answer["result"]["tools"].as_array().unwrap().len(), 20);
    assert_eq!(answer["result"]["resultType"], "complete");

    let stranger = Http::new(&world.base_url(), None);
    send(&stranger, &[], &hello).await.expect(401);
    send(&world, &[("origin", "http://evil.example")], &hello)
        .await
        .expect(403);
    let answer = world.get("/mcp").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "OPTIONS, POST"));
    world.close().await;
}
