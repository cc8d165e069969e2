//! Queries that a language model answers.

use serde_json::{Value, json};

use super::{ask, project};
use crate::support::{ModelService, Runtime, Setup, World};

async fn world(service: &ModelService) -> World {
    let setup = Setup::new(Runtime::Process).variable("BORGOS_LLM_BASE_URL", service.address());
    setup.start().await
}

/// Counts the answers of tools that the model has been told.
fn num_told(question: &Value) -> usize {
    let messages = question["messages"].as_array().unwrap();
    messages.iter().filter(|message| message["role"] == "tool").count()
}

#[tokio::test]
async fn a_model_answers_by_calling_tools() {
    let service = ModelService::start(|question| match num_told(question) {
        0 => ModelService::call("list_files", &json!({"project_id": "one"})),
        1 => ModelService::call("list_files", &json!({"project_id": 1, "lang": "Python"})),
        _ => ModelService::say("There are four."),
    })
    .await;
    let world = world(&service).await;
    let id = project(&world).await;
    assert_eq!(id, 1);
    let context = json!({"project_id": id});
    let answer = ask(&world, "List all Python files in the project", context.clone())
        .await
        .expect(200);
    assert_eq!(
        answer["result"],
        json!(["main.py", "models.py", "tests/test_main.py", "utils.py"])
    );
    assert_eq!(
        (&answer["model"], &answer["tokens_used"]),
        (&json!("tiny-1"), &json!(126))
    );
    assert_eq!(answer["tool"], "list_files");
    let body = json!({"query_type": "chat", "query": "how many files are there?", "context": context});
    let answer = world.post("/api/v1/mcp/query", &body).await.expect(200);
    assert_eq!(answer["result"], "There are four.");

    let asked = service.asked();
    assert_eq!(asked[0]["model"], "gpt-4o-mini");
    assert_eq!(asked[0]["tools"].as_array().unwrap().len(), 20);
    assert!(
        asked[0]["messages"][1]["content"]
            .as_str()
            .unwrap()
            .contains("{\"project_id\":1}")
    );
    assert_eq!(
        asked[1]["messages"][2]["tool_calls"][0]["id"],
        asked[1]["messages"][3]["tool_call_id"]
    );
    // What was wrong is told to the model, which did better.
    assert!(
        asked[1]["messages"][3]["content"]
            .as_str()
            .unwrap()
            .contains("must be a whole number")
    );
    let kept = world.get("/api/v1/mcp/queries").await.expect(200);
    assert_eq!(
        (&kept[1]["tokens_used"], &kept[1]["model"]),
        (&json!(126), &json!("tiny-1"))
    );
    world.close().await;
}

#[tokio::test]
async fn a_model_that_goes_round_in_circles_or_fails_is_given_up() {
    let service = ModelService::start(|question| {
        let asked = question["messages"][1]["content"].as_str().unwrap();
        match asked {
            "circles" => ModelService::call("system_status", &json!({})),
            "key" => (401, json!({"error": {"message": "no such key"}})),
            "sick" => (500, json!({"error": "sick"})),
            _ => (200, json!({"choices": []})),
        }
    })
    .await;
    let world = world(&service).await;
    for (query, status, code) in [
        ("circles", 502, "LLM_STEPS"),
        ("key", 502, "LLM_AUTH"),
        ("sick", 503, "LLM_UNAVAILABLE"),
        ("nonsense", 502, "LLM_ANSWER"),
    ] {
        let refused = ask(&world, query, json!({})).await.expect(status);
        assert_eq!(refused["code"], code, "{query}");
    }
    drop(service);
    let refused = ask(&world, "anybody there?", json!({})).await;
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(refused.expect(503)["code"], "LLM_UNAVAILABLE");
    world.close().await;
}
