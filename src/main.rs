//! The `borgos` program.

use std::{env, ffi::OsStr, path::Path, process::ExitCode};

use borgos_actors::runtime::process;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    match (arguments.next(), arguments.next()) {
        // Hidden: started by the process runtime for each app, before anything that costs memory.
        (Some(command), Some(record)) if command == OsStr::new("keeper") => process::keep(Path::new(&record)),
        _ => ExitCode::SUCCESS,
    }
}
