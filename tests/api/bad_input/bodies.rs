//! Bodies.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{assert_refused, no_numbers, no_texts, send_text};
use crate::{
    api::everywhere::on_both_databases,
    support::{World, free_port},
};

/// Characters that no name has.
const ODD: [&str; 6] = ["a\0b", "a\nb", "\u{1b}[31m", "\r\n", "\t", "\u{7f}"];

/// One endpoint with a body that would be accepted, and what is wrong for its fields.
struct Table {
    method: Method,
    path: String,
    good: Map<String, Value>,
    required: &'static [&'static str],
    bad: Vec<(&'static str, Vec<Value>)>,
}

impl Table {
    /// Sends everything that is wrong.
    async fn check(&self, world: &World) {
        let num_rows = world.num_rows().await;
        self.check_whole(world).await;
        for name in self.required {
            let mut body = self.good.clone();
            body.remove(*name);
            self.refuse(world, name, Value::Object(body).to_string()).await;
            self.refuse_value(world, name, Value::Null).await;
        }
        for (name, values) in &self.bad {
            for value in values {
                self.refuse_value(world, name, value.clone()).await;
            }
            let (first, again) = (self.good.get(*name).unwrap_or(&values[0]), &values[0]);
            self.refuse(world, name, format!("{{\"{name}\": {first}, \"{name}\": {again}}}"))
                .await;
        }
        assert_eq!(
            world.num_rows().await,
            num_rows,
            "{} {} wrote something",
            self.method,
            self.path
        );
    }

    /// What is wrong with the body as a whole.
    async fn check_whole(&self, world: &World) {
        for unknown in ["nmae", "__proto__", "id", "größe", "is_admin"] {
            let mut body = self.good.clone();
            body.insert(unknown.to_owned(), json!(1));
            self.refuse(world, unknown, Value::Object(body).to_string()).await;
        }
        for text in ["[]", "null", "1", "\"text\"", "true"] {
            let answer = send_text(world, &self.method, &self.path, text.to_owned()).await;
            assert_eq!(answer.expect(400)["message"], "the body must be an object", "{text}");
        }
        let with_query = format!("{}?name=x", self.path);
        let answer = send_text(
            world,
            &self.method,
            &with_query,
            Value::Object(self.good.clone()).to_string(),
        )
        .await;
        assert_refused(answer, "name", &with_query);
    }

    async fn refuse_value(&self, world: &World, name: &str, value: Value) {
        let mut body = self.good.clone();
        body.insert(name.to_owned(), value);
        self.refuse(world, name, Value::Object(body).to_string()).await;
    }

    async fn refuse(&self, world: &World, name: &str, text: String) {
        let answer = send_text(world, &self.method, &self.path, text.clone()).await;
        assert_refused(answer, name, &text);
    }
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

/// Wrong types, and these texts.
fn texts(wrong: &[&str]) -> Vec<Value> {
    let mut values = no_texts();
    values.extend(wrong.iter().chain(&ODD).map(|text| json!(text)));
    values
}

fn project_names() -> Vec<Value> {
    texts(&["", " ", " padded", "padded ", &"x".repeat(201), &"x".repeat(100_000)])
}

fn project_types() -> Vec<Value> {
    texts(&["", "Web", "a b", "größe", "../etc", "a/b", "a;b", &"x".repeat(51)])
}

fn tech_stacks() -> Vec<Value> {
    let mut values = vec![json!("python"), json!(1), json!({}), json!(true)];
    values.extend([
        json!([1]),
        json!([null]),
        json!([[]]),
        json!([""]),
        json!(["x".repeat(65)]),
        json!(vec!["x"; 101]),
    ]);
    values.extend(ODD.map(|text| json!([text])));
    values
}

#[tokio::test]
async fn a_bad_project_is_not_created() {
    on_both_databases(async |world| {
        let directory = world.project("good", "one");
        let file = directory.path().join("Dockerfile");
        let above = directory.path().join("../good");
        let long = format!("/{}", "x/".repeat(5000));
        let paths = [
            "",
            " ",
            ".",
            "relative/path",
            "~",
            "~/x",
            "/no/such/directory",
            "/tmp/../etc",
            "../../etc",
            &long,
        ];
        let mut paths = texts(&paths);
        paths.extend([json!(file), json!(above)]);
        let table = Table {
            method: Method::POST,
            path: "/api/v1/projects".to_owned(),
            good: object(json!({"name": "good", "path": directory.path()})),
            required: &["name", "path"],
            bad: vec![
                ("name", project_names()),
                ("path", paths),
                ("project_type", project_types()),
                ("tech_stack", tech_stacks()),
            ],
        };
        table.check(world).await;
        world
            .post(&table.path, &Value::Object(table.good.clone()))
            .await
            .expect(201);
    })
    .await;
}

#[tokio::test]
async fn a_project_is_not_changed_badly() {
    on_both_databases(async |world| {
        let directory = world.project("good", "one");
        let id = world.create_project("good", directory.path()).await;
        let path = format!("/api/v1/projects/{id}");
        let before = world.get(&path).await.expect(200);
        let not_booleans = vec![json!("true"), json!(0), json!(1), json!([]), json!({}), json!("")];
        let not_objects = vec![json!("x"), json!(1), json!([]), json!(true)];
        let with_null = |mut values: Vec<Value>| {
            values.push(Value::Null);
            values
        };
        let table = Table {
            method: Method::PATCH,
            path: path.clone(),
            good: Map::new(),
            required: &[],
            bad: vec![
                ("name", with_null(project_names())),
                ("project_type", project_types()),
                ("tech_stack", with_null(tech_stacks())),
                ("is_active", with_null(not_booleans)),
                ("metadata", with_null(not_objects)),
                ("path", vec![json!("/tmp")]),
                ("health_score", vec![json!(100)]),
            ],
        };
        table.check(world).await;
        assert_eq!(world.get(&path).await.expect(200), before);
    })
    .await;
}

#[tokio::test]
async fn a_bad_deployment_is_not_created() {
    on_both_databases(async |world| {
        let directory = world.project("good", "one");
        let id = world.create_project("good", directory.path()).await;
        let ports = || {
            let mut values = no_numbers();
            values.extend([json!(65_536), json!(-8080)]);
            values
        };
        let commands = vec![
            json!("ls -l"),
            json!([]),
            json!([""]),
            json!([1]),
            json!(["a\0"]),
            json!(vec!["x"; 257]),
        ];
        let environments = vec![
            json!([]),
            json!("A=1"),
            json!(1),
            json!({"": "1"}),
            json!({"1A": "1"}),
            json!({"A B": "1"}),
            json!({"A=B": "1"}),
            json!({"A": "\0"}),
            json!({"A\0": "1"}),
            json!({"Ä": "1"}),
            json!({"A": null}),
            json!({"A": []}),
            json!({"A": "x".repeat(40_000)}),
            json!({"x".repeat(300): "1"}),
        ];
        let mut seconds = no_numbers();
        seconds.push(json!(3601));
        let mut retries = no_numbers();
        retries.push(json!(101));
        let names = texts(&[
            "",
            "-x",
            ".x",
            "a b",
            "größe",
            "../etc/passwd",
            "a/b",
            "$(id)",
            &"x".repeat(64),
        ]);
        let images = texts(&[
            "",
            "UPPER",
            "a b",
            "../x",
            "/x",
            "x:",
            "x:y:z/",
            "x@sha256:12",
            "größe",
            &"x".repeat(256),
        ]);
        let health_paths = texts(&[
            "",
            "health",
            "//evil.example/x",
            "/a b",
            "/ü",
            "/#x",
            &format!("/{}", "x".repeat(1024)),
        ]);
        let cpus = texts(&[
            "", "0", "-1", "0.001", "1e3", "lots", "1.2345", "1025", "0,5", "inf", "\u{0661}",
        ]);
        let memories = texts(&[
            "",
            "0",
            "256",
            "-256m",
            "1k",
            "5m",
            "1.5g",
            "256x",
            "99999999999999999999g",
            "m",
        ]);
        let table = Table {
            method: Method::POST,
            path: "/api/v1/deploy".to_owned(),
            good: object(json!({"project_id": id, "port": free_port()})),
            required: &["project_id", "port"],
            bad: vec![
                ("project_id", no_numbers()),
                ("port", ports()),
                ("name", names),
                ("environment", environments),
                ("cpu_limit", cpus),
                ("memory_limit", memories),
                ("image", images),
                ("command", commands),
                ("container_port", ports()),
                ("health_check_path", health_paths),
                ("health_timeout_s", seconds.clone()),
                ("health_interval_s", seconds),
                ("health_retries", retries),
            ],
        };
        table.check(world).await;
    })
    .await;
}

#[tokio::test]
async fn a_bad_error_is_not_logged() {
    on_both_databases(async |world| {
        let kinds = texts(&["", &"x".repeat(101)]);
        let severities = texts(&["", "Error", "fatal", "errör", "error "]);
        let mut messages = no_texts();
        messages.extend([json!(""), json!(" \n "), json!("x".repeat(10_001))]);
        let mut traces = no_texts();
        traces.push(json!("x".repeat(200_001)));
        let contexts = vec![json!([]), json!("x"), json!(1), json!(true)];
        let table = Table {
            method: Method::POST,
            path: "/api/v1/errors".to_owned(),
            good: object(json!({"error_type": "runtime", "severity": "error", "message": "x"})),
            required: &["error_type", "severity", "message"],
            bad: vec![
                ("project_id", no_numbers()),
                ("deployment_id", no_numbers()),
                ("error_type", kinds),
                ("severity", severities),
                ("message", messages),
                ("stack_trace", traces),
                ("context", contexts),
            ],
        };
        table.check(world).await;
        for (field, kind) in [("project_id", "Project"), ("deployment_id", "Deployment")] {
            let mut body = table.good.clone();
            body.insert(field.to_owned(), json!(99));
            let absent = world.post("/api/v1/errors", &Value::Object(body)).await.expect(404);
            assert_eq!(absent["message"], format!("{kind} with id 99 not found"));
        }
        assert_eq!(world.num_rows().await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_bad_task_is_not_created() {
    on_both_databases(async |world| {
        let names = texts(&["", &"x".repeat(101)]);
        let mut descriptions = no_texts();
        descriptions.extend([json!(""), json!(" \n "), json!("x".repeat(20_001))]);
        let mut priorities = no_numbers();
        priorities.retain(|value| value != &json!(0) && value != &json!(-1));
        priorities.extend([json!(1001), json!(-1001)]);
        let with = |more: &[i64]| {
            let mut values = no_numbers();
            values.extend(more.iter().map(|number| json!(number)));
            values
        };
        let mut times = no_texts();
        times.extend(["", "tomorrow", "2024-01-15", "2024-13-01T00:00:00Z"].map(|text| json!(text)));
        let table = Table {
            method: Method::POST,
            path: "/api/v1/agent/task".to_owned(),
            good: object(json!({"agent_type": "coder", "task_type": "x", "description": "x"})),
            required: &["agent_type", "task_type", "description"],
            bad: vec![
                ("project_id", no_numbers()),
                ("agent_type", names.clone()),
                ("task_type", names.clone()),
                ("description", descriptions),
                ("priority", priorities),
                ("input_data", vec![json!([]), json!("x"), json!(1), json!(true)]),
                ("run_at", times),
                ("max_attempts", with(&[101])),
                ("timeout_s", with(&[86_401])),
                ("unique_key", names),
            ],
        };
        table.check(world).await;
    })
    .await;
}

#[tokio::test]
async fn a_bad_prompt_is_no_task() {
    on_both_databases(async |world| {
        let mut prompts = no_texts();
        prompts.extend([json!(""), json!(" \n "), json!("x".repeat(200_001))]);
        let mut descriptions = no_texts();
        descriptions.push(json!("x".repeat(10_001)));
        let table = Table {
            method: Method::POST,
            path: "/api/v1/agent-zero/execute".to_owned(),
            good: object(json!({"prompt": "x"})),
            required: &["prompt"],
            bad: vec![
                ("type", texts(&["", "two words", &"x".repeat(101)])),
                ("description", descriptions),
                ("prompt", prompts),
                ("context", vec![json!([]), json!("x"), json!(1), json!(true)]),
            ],
        };
        table.check(world).await;
    })
    .await;
}
