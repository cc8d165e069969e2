//! Asking for a password: on the terminal without an echo, else one line of standard input. Never from the command line,
//! where every process of the machine could read it.

use std::io::{self, BufRead, IsTerminal, Read};

use borgos_actors::value::Password;

use super::Failure;

/// Longer lines are no passwords.
const MAX_BYTES: u64 = 8 * 1024;

/// Asks for a new password.
pub(super) fn ask() -> Result<Password, Failure> {
    let text = match io::stdin().is_terminal() {
        true => ask_twice()?,
        false => read_line()?,
    };
    Password::try_from(text).map_err(|invalid| Failure::Usage(format!("the password {invalid}")))
}

fn ask_twice() -> Result<String, Failure> {
    let unreadable = |error: io::Error| Failure::General(format!("the password cannot be read: {error}"));
    let password = rpassword::prompt_password("Password: ").map_err(unreadable)?;
    let again = rpassword::prompt_password("Again: ").map_err(unreadable)?;
    match password == again {
        true => Ok(password),
        false => Err(Failure::Usage("the passwords differ".to_owned())),
    }
}

fn read_line() -> Result<String, Failure> {
    let mut line = String::new();
    let mut input = io::stdin().lock().take(MAX_BYTES);
    let read = input.read_line(&mut line);
    read.map_err(|error| Failure::General(format!("the password cannot be read from standard input: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
