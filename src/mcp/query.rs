//! Answers queries in plain words, and keeps what was asked.

use std::{path::Path, sync::Arc, time::Instant};

use borgos_actors::store::{
    mcp_queries::{self, NewEntry},
    projects,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use warp::http::StatusCode;

use super::{
    planner::{Planner, Puzzle},
    toolbox::Toolbox,
    tools,
};
use crate::{app::App, guard::audit::Requester, problem::Problem};

/// What the built-in planner is called where others name a model.
const BUILTIN: &str = "builtin";
const ANSWERED: &str = "answered";

/// What kind of answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Kind {
    /// What one tool answers.
    Tool,
    /// A sentence or two.
    Chat,
    /// A judgement.
    Analysis,
}

/// A query.
#[derive(Debug)]
pub struct Question {
    /// What kind of answer is wanted.
    pub kind: Kind,
    /// The words.
    pub text: String,
    /// What the words may leave out.
    pub context: Map<String, Value>,
}

/// The answer to a query.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Answer {
    result: Value,
    tokens_used: u64,
    model: String,
    tool: Option<&'static str>,
    arguments: Map<String, Value>,
    query_id: borgos_actors::id::QueryId,
}

/// Answers queries.
pub struct Answerer {
    app: Arc<App>,
    toolbox: Toolbox,
    planner: Planner,
}

/// What has been done for a query so far.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) model: String,
    pub(super) tokens_used: u64,
    pub(super) tool: Option<&'static str>,
    pub(super) arguments: Map<String, Value>,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Chat => "chat",
            Self::Analysis => "analysis",
        }
    }
}

impl Answerer {
    /// Ties the parts together.
    pub fn new(app: Arc<App>, toolbox: Toolbox) -> Self {
        Self {
            app,
            toolbox,
            planner: Planner::prepare(),
        }
    }

    /// Answers a query under the caller's scope, and keeps it, whatever came of it.
    ///
    /// # Errors
    /// 422 when it is not understood, and those of the tool.
    pub async fn answer(&self, mut question: Question, requester: &Requester) -> Result<Answer, Problem> {
        let begun = Instant::now();
        let mut course = Course {
            model: BUILTIN.to_owned(),
            tokens_used: 0,
            tool: None,
            arguments: Map::new(),
        };
        let result = match self.find_project(&mut question.context).await {
            Ok(()) => self.find_out(&question, requester, &mut course).await,
            Err(problem) => Err(problem),
        };
        let entry = NewEntry {
            caller: requester.caller.name.to_string(),
            query_type: question.kind.name().to_owned(),
            query: question.text,
            tool: course.tool.map(str::to_owned),
            arguments: Value::Object(course.arguments.clone()),
            model: course.model.clone(),
            tokens_used: course.tokens_used,
            duration: begun.elapsed(),
            outcome: result
                .as_ref()
                .map_or_else(|problem| problem.code(), |_| ANSWERED)
                .to_owned(),
        };
        let kept = mcp_queries::record(&self.app.system.store, &entry).await;
        Ok(Answer {
            result: result?,
            query_id: kept?.id,
            tokens_used: course.tokens_used,
            model: course.model,
            tool: course.tool,
            arguments: course.arguments,
        })
    }

    async fn find_out(
        &self,
        question: &Question,
        requester: &Requester,
        course: &mut Course,
    ) -> Result<Value, Problem> {
        if let Some(model) = &self.app.model {
            return model.answer(question, &self.toolbox, requester, course).await;
        }
        let plan = self.planner.plan(&question.text, &question.context).map_err(refusal)?;
        let tool = tools::find(plan.tool).ok_or_else(|| Problem::internal("a plan names an unknown tool"))?;
        course.tool = Some(tool.name);
        course.arguments.clone_from(&plan.arguments);
        let output = self.toolbox.call(tool, &plan.arguments, requester).await?;
        Ok(plan.result(output))
    }

    /// A context may name its project by a directory in it.
    async fn find_project(&self, context: &mut Map<String, Value>) -> Result<(), Problem> {
        if context.contains_key("project_id") {
            return Ok(());
        }
        let Some(path) = context.get("path").and_then(Value::as_str).map(Path::new) else {
            return Ok(());
        };
        let roots = projects::paths(&self.app.system.store, None).await?;
        let holders = roots.into_iter().filter(|(_, root)| path.starts_with(root));
        // Of projects within projects it is the innermost.
        if let Some((id, _)) = holders.max_by_key(|(_, root)| root.components().count()) {
            context.insert("project_id".to_owned(), id.0.into());
        }
        Ok(())
    }
}

fn refusal(puzzle: Puzzle) -> Problem {
    let code = match puzzle {
        Puzzle::Unknown { .. } => "NOT_UNDERSTOOD",
        Puzzle::Incomplete { .. } => "INCOMPLETE_QUERY",
    };
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, puzzle.to_string())
}
