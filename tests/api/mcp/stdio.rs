//! `borgos mcp`: the protocol on standard input and output.

use std::process::Stdio;

use rmcp::{ServiceExt, model::CallToolRequestParams, transport::TokioChildProcess};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::project;
use crate::support::{Runtime, Setup, free_port, program};

const TOKEN: &str = "let-me-in-0123456789";

#[tokio::test]
async fn a_client_that_starts_its_tools_talks_to_the_running_service() {
    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let id = project(&world).await;
    let mut command = program();
    command
        .arg("mcp")
        .env("BORGOS_URL", world.base_url())
        .env("BORGOS_TOKEN", TOKEN);
    let client = ().serve(TokioChildProcess::new(command).unwrap()).await.expect("the client is welcome");
    assert_eq!(client.list_all_tools().await.unwrap().len(), 20);
    let arguments = json!({"project_id": id, "path": "utils.py"})
        .as_object()
        .cloned()
        .unwrap();
    let request = CallToolRequestParams::new("read_file").with_arguments(arguments);
    let result = client.call_tool(request).await.unwrap();
    assert_eq!(
        result.structured_content,
        Some(json!({"content": "def total(items):\n    return sum(items)\n"}))
    );
    client.cancel().await.unwrap();
    world.close().await;
}

#[tokio::test]
async fn it_says_when_no_service_runs_and_when_the_token_is_wrong() {
    let mut command = program();
    command
        .arg("mcp")
        .env("BORGOS_URL", format!("http://127.0.0.1:{}", free_port()));
    let output = command.output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no BorgOS answers at"));

    let world = Setup::new(Runtime::Process).token(TOKEN).start().await;
    let mut command = program();
    command.arg("mcp").env("BORGOS_URL", world.base_url());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let messages = "{\"jsonrpc\": \"2.0\", \"id\": 7, \"method\": \"tools/list\"}\nnonsense\n";
    input.write_all(messages.as_bytes()).await.unwrap();
    drop(input);
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("BORGOS_TOKEN") && said.contains("\"id\":7"), "{said}");
    assert!(said.contains("-32700"), "{said}");
    world.close().await;
}
