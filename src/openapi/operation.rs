//! How an operation is described: what it takes and how it answers. Who may ask, and what any request can be refused for,
//! follows from its line in the route table.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::{
    headers,
    parameter::Parameter,
    refusals::{self, Refusals},
    schemas::{Maker, Schemas},
};
use crate::routes::{Endpoint, Scope};

/// A description, under the name that the route table has.
pub(super) struct Operation {
    pub(super) name: &'static str,
    summary: &'static str,
    description: &'static str,
    parameters: Vec<Parameter>,
    body: Option<Body>,
    answers: Vec<Answer>,
    refusals: Refusals,
}

struct Body {
    schema: Maker,
    example: Value,
    is_required: bool,
}

struct Answer {
    status: u16,
    description: &'static str,
    contents: Vec<(&'static str, Option<Maker>)>,
    headers: Vec<&'static str>,
    example: Option<Value>,
    links: Vec<Link>,
}

/// Another operation that takes what an answer says.
struct Link {
    operation: &'static str,
    /// Where the id is in the answer.
    pointer: &'static str,
}

const JSON: &str = "application/json";

impl Operation {
    pub(super) fn new(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            summary,
            description: "",
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            refusals: Refusals::new(),
        }
    }

    /// Says more than fits into one line.
    pub(super) fn describe(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// Takes these in the query or a header.
    pub(super) fn takes(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// Takes a body of JSON.
    pub(super) fn body<T: JsonSchema>(mut self, example: Value) -> Self {
        self.body = Some(Body {
            schema: Schemas::request::<T>,
            example,
            is_required: true,
        });
        self
    }

    /// Takes a body of JSON that others define.
    pub(super) fn any_body(mut self, example: Value) -> Self {
        self.body = Some(Body {
            schema: |_| json!({}),
            example,
            is_required: true,
        });
        self
    }

    /// The body may be left out.
    pub(super) fn or_none(mut self) -> Self {
        if let Some(body) = &mut self.body {
            body.is_required = false;
        }
        self
    }

    /// Answers with a body of JSON.
    pub(super) fn answers<T: JsonSchema>(self, status: u16, description: &'static str) -> Self {
        self.answer(status, description, vec![(JSON, Some(Schemas::answer::<T>))])
    }

    /// Answers with a list, and takes what lists take.
    pub(super) fn lists<T: JsonSchema>(self, description: &'static str) -> Self {
        self.pages(description, Schemas::list::<T>)
    }

    /// The same, where rows can be cut down to some of their fields.
    pub(super) fn lists_fields<T: JsonSchema>(self, description: &'static str) -> Self {
        self.takes([Parameter::fields::<T>()])
            .pages(description, Schemas::list_of_fields::<T>)
    }

    fn pages(self, description: &'static str, schema: Maker) -> Self {
        self.takes(Parameter::page())
            .answer(200, description, vec![(JSON, Some(schema))])
            .with(&headers::PAGE)
    }

    /// Answers with a text of one of these types.
    pub(super) fn tells(self, status: u16, description: &'static str, types: &[&'static str]) -> Self {
        let contents = types.iter().map(|content| (*content, None)).collect();
        self.answer(status, description, contents)
    }

    /// The answer that was described last can also be a text of this type.
    pub(super) fn or_tells(mut self, content: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.contents.push((content, None));
        }
        self
    }

    /// Answers with a file that is part of the program, of one of these types.
    pub(super) fn sends_a_file(self, types: &[&'static str]) -> Self {
        let description = "The `ETag` of what the client has.";
        self.takes([Parameter::header(
            "If-None-Match",
            description,
            json!({"type": "string"}),
        )])
        .tells(200, "The file.", types)
        .with(&headers::TAG)
        .tells(304, "The client has it.", &[])
        .with(&headers::TAG)
    }

    fn answer(mut self, status: u16, description: &'static str, contents: Vec<(&'static str, Option<Maker>)>) -> Self {
        self.answers.push(Answer {
            status,
            description,
            contents,
            headers: Vec::new(),
            example: None,
            links: Vec::new(),
        });
        self
    }

    /// The answer that was described last has these headers.
    pub(super) fn with(mut self, names: &[&'static str]) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.headers.extend(names);
        }
        self
    }

    /// The answer that was described last can look like this.
    pub(super) fn example(mut self, example: Value) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.example = Some(example);
        }
        self
    }

    /// What the answer that was described last has at the pointer is the id of what these operations take.
    pub(super) fn leads_to(mut self, pointer: &'static str, operations: &[&'static str]) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            let links = operations.iter().map(|operation| Link { operation, pointer });
            answer.links.extend(links);
        }
        self
    }

    /// Refuses with these codes, beside those that follow from the route table.
    pub(super) fn refuses(mut self, status: u16, codes: &[&'static str]) -> Self {
        refusals::add(&mut self.refusals, &[(status, codes)]);
        self
    }

    /// Writes the operation for one line of the route table.
    pub(super) fn render(&self, endpoint: &Endpoint, id: &str, tag: &str, schemas: &mut Schemas) -> Value {
        let in_path = endpoint.path.split(['{', '}']).skip(1).step_by(2);
        let parameters = in_path.filter_map(Parameter::of_path);
        let parameters: Vec<Value> = parameters
            .chain(self.parameters.iter().cloned())
            .map(|one| one.render())
            .collect();
        let mut operation = json!({
            "operationId": id,
            "tags": [tag],
            "summary": self.summary,
            "description": self.description,
            "parameters": parameters,
            "responses": self.responses(endpoint, schemas),
            "security": match endpoint.scope {
                Scope::Public => json!([]),
                _ => json!([{"bearer": []}, {"basic": []}]),
            },
            "x-scope": endpoint.scope.name(),
        });
        if let Some(body) = &self.body {
            let content = json!({"schema": (body.schema)(schemas), "example": body.example});
            operation["requestBody"] = json!({"required": body.is_required, "content": {JSON: content}});
        }
        operation
    }

    fn responses(&self, endpoint: &Endpoint, schemas: &mut Schemas) -> Value {
        let mut refused = refusals::common(endpoint, self.body.is_some());
        for (status, codes) in &self.refusals {
            refusals::add(&mut refused, &[(*status, codes)]);
        }
        let refused = refused
            .iter()
            .map(|(status, codes)| (*status, refusals::render(*status, codes)));
        let mut responses: Map<String, Value> = refused.map(|(status, answer)| (status.to_string(), answer)).collect();
        for answer in &self.answers {
            responses.insert(answer.status.to_string(), answer.render(endpoint, schemas));
        }
        Value::Object(responses)
    }
}

impl Answer {
    fn render(&self, endpoint: &Endpoint, schemas: &mut Schemas) -> Value {
        let rate = if endpoint.is_counted { &headers::RATE[..] } else { &[] };
        let mut content = Map::new();
        for (kind, maker) in &self.contents {
            let schema = maker.map_or_else(|| json!({"type": "string"}), |make| make(schemas));
            let mut media = json!({"schema": schema});
            if let (Some(example), Some(_)) = (&self.example, maker) {
                media["example"] = example.clone();
            }
            content.insert((*kind).to_owned(), media);
        }
        let mut answer = json!({
            "description": self.description,
            "headers": headers::of_answer(self.headers.iter().chain(rate)),
        });
        if !content.is_empty() {
            answer["content"] = Value::Object(content);
        }
        if !self.links.is_empty() {
            answer["links"] = self.links.iter().map(Link::render).collect();
        }
        answer
    }
}

impl Link {
    fn render(&self) -> (String, Value) {
        let id = format!("$response.body#{}", self.pointer);
        (
            self.operation.replace('.', "-"),
            json!({"operationId": self.operation, "parameters": {"id": id}}),
        )
    }
}
