//! What others ask of a supervisor.

use std::{sync::Arc, time::Duration};

use super::{
    Goal, Phase, Reply, State,
    child::{Verdict, answer},
};
use crate::{
    Error,
    supervision::{launch::Afterwards, spec::ChildSpec},
};

impl State {
    pub(super) fn start_child(&mut self, spec: Arc<ChildSpec>, reply: Reply) {
        if !matches!(self.goal, Goal::Run) {
            return answer(reply, Err(self.is_ending()));
        }
        if self.board.find(&spec.path).is_some() {
            let reason = format!("an actor with the path `{}` exists", spec.path);
            return answer(
                reply,
                Err(Error::Conflict {
                    code: "ACTOR_EXISTS",
                    reason,
                }),
            );
        }
        let rank = self.next_rank;
        let admitted = self.admit(rank, &spec, true);
        if admitted.is_ok() {
            self.table.group.enlist(rank, &spec);
            self.begin_start(rank, false);
        }
        answer(reply, admitted);
    }

    pub(super) fn stop_child(&mut self, path: &str, reply: Reply) {
        let Some(rank) = self.ranks.get(path).copied() else {
            return answer(reply, Err(not_found(path)));
        };
        if let Some(child) = self.children.get_mut(&rank) {
            child.stops.push(path, reply);
        }
        self.begin_end(rank, Verdict::Stay, None);
    }

    /// Restarts a child on request, which counts against no limit. Also starts one that backs off or has ended.
    pub(super) fn restart_child(&mut self, path: &str, patience: Duration, reply: Reply) {
        if !matches!(self.goal, Goal::Run) {
            return answer(reply, Err(self.is_ending()));
        }
        let Some(rank) = self.ranks.get(path).copied() else {
            return answer(reply, Err(not_found(path)));
        };
        let Some(child) = self.children.get_mut(&rank) else {
            return;
        };
        if child.verdict == Some(Verdict::Stay) {
            let reason = format!("`{path}` is being stopped");
            return answer(
                reply,
                Err(Error::Conflict {
                    code: "ACTOR_STOPPING",
                    reason,
                }),
            );
        }
        child.restarts.push(path, reply);
        match child.phase {
            Phase::Up { .. } => self.begin_end(rank, Verdict::StartAgain, Some(patience)),
            Phase::BackingOff | Phase::Ended => self.begin_start(rank, false),
            // A new incarnation is on its way already.
            Phase::Waiting | Phase::Starting { .. } | Phase::Ending { .. } => {}
        }
    }

    pub(super) fn shutdown(&mut self, afterwards: Afterwards) {
        match &self.goal {
            Goal::Run => {
                self.goal = Goal::Stop(afterwards);
                self.end_all();
            }
            Goal::Stop(_) if afterwards == Afterwards::Leave => self.goal = Goal::Stop(afterwards),
            Goal::Stop(_) | Goal::GiveUp(_) => {}
        }
    }

    fn is_ending(&self) -> Error {
        Error::Restarting {
            actor: self.table.path.clone(),
        }
    }
}

fn not_found(path: &str) -> Error {
    Error::NotFound {
        kind: "Actor",
        id: path.to_owned(),
    }
}
