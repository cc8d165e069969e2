//! Looks at records and processes, and says what is there.

use std::{io, path::Path};

use chrono::Utc;

use super::{
    group,
    record::{Phase, Record, Spec, State},
};
use crate::{
    id::DeploymentId,
    runtime::{Exit, InstanceState, Observation, port},
};

/// What a program that cannot be started exits with in a shell.
const NOT_STARTED: i64 = 127;

/// Looks at all instances. One whose record cannot be read is left out, so that it does not hide the others; whoever
/// asks for its deployment is told.
pub(super) fn observe_all(root: &Path) -> io::Result<Vec<Observation>> {
    let mut seen = Vec::new();
    for record in Record::list(root, None)? {
        match observe(&record) {
            Ok(observation) => seen.extend(observation),
            Err(cause) => {
                let instance = record.instance().0;
                tracing::debug!(instance, error = %cause, "record {instance} cannot be read: {cause}");
            }
        }
    }
    Ok(seen)
}

/// Looks at the instances of one deployment.
pub(super) fn observe_deployment(root: &Path, deployment: DeploymentId) -> io::Result<Vec<Observation>> {
    let records = Record::list(root, Some(deployment))?;
    records
        .iter()
        .filter_map(|record| observe(record).transpose())
        .collect()
}

/// Looks at one instance. There is none if its record has no spec.
pub(super) fn observe(record: &Record) -> io::Result<Option<Observation>> {
    let Some(spec) = record.spec()? else { return Ok(None) };
    let state = match record.state()? {
        None => InstanceState::Created,
        Some(state) => instance_state(record, &state)?,
    };
    Ok(Some(observation(record, &spec, state)))
}

fn instance_state(record: &Record, state: &State) -> io::Result<InstanceState> {
    Ok(match &state.phase {
        Phase::Starting => InstanceState::Created,
        Phase::Failed { at, .. } => InstanceState::Exited(Exit {
            code: NOT_STARTED,
            is_oom: false,
            at: *at,
        }),
        Phase::Exited { exit } => InstanceState::Exited(exit.clone()),
        Phase::Running { since, .. } if record.is_kept()? => InstanceState::Running { since: *since },
        Phase::Running { app, since } if group::alive(app)? => InstanceState::Running { since: *since },
        Phase::Running { .. } => settle(record)?,
    })
}

/// Decides what became of an app whose keeper is gone and which is gone as well. The keeper may have written down the end
/// just before it went; if not, the end is written here, once, so that its time stays the same.
fn settle(record: &Record) -> io::Result<InstanceState> {
    let Some(_lock) = record.try_lock()? else {
        // Somebody else settles it at this moment.
        return Ok(InstanceState::Exited(unseen()));
    };
    let Some(state) = record.state()? else {
        return Ok(InstanceState::Created);
    };
    match &state.phase {
        Phase::Running { .. } => {
            let exit = unseen();
            record.write_state(&State {
                phase: Phase::Exited { exit: exit.clone() },
                ..state
            })?;
            Ok(InstanceState::Exited(exit))
        }
        Phase::Exited { exit } => Ok(InstanceState::Exited(exit.clone())),
        Phase::Starting | Phase::Failed { .. } => Ok(InstanceState::Created),
    }
}

fn unseen() -> Exit {
    Exit {
        code: Exit::UNSEEN,
        is_oom: false,
        at: Utc::now(),
    }
}

fn observation(record: &Record, spec: &Spec, state: InstanceState) -> Observation {
    let is_running = matches!(state, InstanceState::Running { .. });
    let address = is_running.then(|| port::loopback(spec.port));
    Observation {
        instance: record.instance(),
        deployment: spec.deployment,
        release: spec.release,
        generation: spec.generation,
        state,
        address,
        endpoint: address,
    }
}
