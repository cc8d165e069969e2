//! The agents that carry out tasks.

use borgos_actors::tasks::AgentView;

use super::operation::Operation;
use crate::routes::outcome::Told;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new("agents.list", "Lists the configured agents")
            .answers::<Vec<AgentView>>(200, "The agents: limits, load, health, paused or not."),
        Operation::new("agents.pause", "Gives an agent no more tasks")
            .describe("What it has begun goes on.")
            .answers::<Told>(200, "It is paused."),
        Operation::new("agents.resume", "Gives an agent tasks again").answers::<Told>(200, "It works again."),
    ]
}
