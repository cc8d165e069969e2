//! Tools about tasks of agents.

use super::{Effect, Kind, LONG_TEXT, Parameter, SHORT_TEXT, TASK, Tool};

const TEXT: Kind = Kind::Text { max_chars: SHORT_TEXT };

pub(super) static TOOLS: &[Tool] = &[
    Tool::post("create_task", "/api/v1/agent/task", Effect::Adds)
        .describe(
            "Hand a task to one of the configured agents. Returns its id; it waits in a queue and is done in the \
             background. Follow it with get_task.",
        )
        .takes(&[
            Parameter::body("agent_type", TEXT, "Name of the agent, such as `agent-zero`").required(),
            Parameter::body("task_type", TEXT, "What kind of task it is, such as `code_review`").required(),
            Parameter::body("description", Kind::Text { max_chars: LONG_TEXT }, "What is to be done").required(),
            Parameter::body("project_id", Kind::Id, "Id of the project that it is about"),
            Parameter::body("input_data", Kind::Object, "What else the agent is given"),
            Parameter::body(
                "priority",
                Kind::Number { min: -1000, max: 1000 },
                "Larger ones run first; 1 if left out",
            ),
        ]),
    Tool::get("get_task", "/api/v1/agent/tasks/{id}")
        .describe("Show one task: status, progress, attempts, output or error.")
        .takes(&[TASK]),
    Tool::post("cancel_task", "/api/v1/agent/tasks/{id}/cancel", Effect::Ends)
        .describe("Call a task off. One that waits never runs, one that runs is ended.")
        .takes(&[TASK]),
];
