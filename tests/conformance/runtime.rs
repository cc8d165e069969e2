//! What `Runtime` promises, on containers and on processes.

mod cases;
mod docker;
mod fixture;
mod process;

use borgos_actors::runtime::Kind;

/// Makes two tests of each case: one for containers, one for processes.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod on_docker {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::fixture::run(super::Kind::Docker, super::cases::$case).await;
            })+
        }

        mod on_processes {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::fixture::run(super::Kind::Process, super::cases::$case).await;
            })+
        }
    };
}

on_both! {
    an_instance_runs_under_its_labels_and_answers,
    a_stopped_instance_has_ended_within_its_grace,
    an_app_that_ignores_the_request_to_end_is_killed_after_the_grace,
    an_exit_is_seen_with_its_code,
    a_kill_from_outside_is_seen_and_hinted_at,
    a_start_replaces_its_own_generation_runs_beside_older_ones_and_is_refused_when_outdated,
    a_fresh_runtime_finds_what_runs,
    the_output_is_kept,
    a_flood_of_output_neither_blocks_the_app_nor_fills_the_disk,
    a_removed_instance_is_gone,
    a_program_that_does_not_exist_is_told_from_one_that_fails,
    the_app_gets_its_environment_and_no_other,
    a_command_replaces_the_own_one_of_the_artifact,
    a_memory_limit_holds,
    what_another_borgos_runs_is_not_touched,
}
