//! Who may do what: callers, tokens, users, and the audit log.

use borgos_actors::{
    store::{audit::Entry, tokens::Token, users::User},
    value::UserName,
};
use serde_json::json;

use super::{headers::LOCATION, operation::Operation, parameter::Parameter};
use crate::routes::{
    auth::{Granted, Issued, Me},
    outcome::Told,
    tokens::{self, Created},
    users,
};

pub(super) fn operations() -> Vec<Operation> {
    let mut all = callers();
    all.extend(of_tokens());
    all.extend(of_users());
    all.push(audit());
    all
}

fn callers() -> Vec<Operation> {
    vec![
        Operation::new("auth.me", "Says who the caller is")
            .answers::<Me>(200, "The caller, as the credential says.")
            .example(json!({"name": "token:ci", "method": "token", "scope": "deploy", "expires_at": null})),
        Operation::new(
            "auth.ticket",
            "Gives out a ticket for one connection of the live stream",
        )
        .describe("For browsers, which can send no header with a WebSocket.")
        .answers::<Issued>(200, "The ticket."),
        Operation::new("auth.token", "Gives out a short-lived access token")
            .describe("It allows what the credential allows that it was got with.")
            .answers::<Granted>(200, "The access token.")
            .refuses(403, &["LASTING_CREDENTIAL_NEEDED"])
            .refuses(409, &["NO_CREDENTIAL"]),
    ]
}

fn of_tokens() -> Vec<Operation> {
    vec![
        Operation::new("tokens.list", "Lists tokens")
            .describe("Revoked and expired ones too.")
            .lists::<Token>("The tokens, in the order of their creation."),
        Operation::new("tokens.create", "Makes a token")
            .body::<tokens::Create>(json!({
                "name": "ci", "scope": "deploy", "expires_in_s": 7_776_000,
                "rate_limit": {"per_minute": 600, "burst": 60},
            }))
            .answers::<Created<'_>>(201, "It was made. Its secret is shown this once.")
            .with(&LOCATION)
            .leads_to("/id", &["tokens.show", "tokens.revoke"])
            .refuses(409, &["ADMIN_FIRST", "TOO_MANY_TOKENS"]),
        Operation::new("tokens.show", "Shows one token").answers::<Token>(200, "The token, without its secret."),
        Operation::new("tokens.revoke", "Makes a token invalid for ever")
            .describe("Its row stays.")
            .answers::<Told>(200, "It is invalid.")
            .example(json!({"message": "Token 1 revoked"})),
    ]
}

fn of_users() -> Vec<Operation> {
    vec![
        Operation::new("users.list", "Lists users")
            .takes([Parameter::of::<UserName>("name", "Their name.")])
            .lists::<User>("The users."),
        Operation::new("users.create", "Adds a user")
            .body::<users::Create>(json!({"name": "ada", "password": "correct horse battery", "scope": "deploy"}))
            .answers::<User>(201, "The user was added.")
            .with(&LOCATION)
            .leads_to("/id", &["users.show", "users.update", "users.remove"])
            .refuses(409, &["ADMIN_FIRST", "NAME_IN_USE", "TOO_MANY_USERS"]),
        Operation::new("users.show", "Shows one user").answers::<User>(200, "The user, without the password."),
        Operation::new("users.update", "Changes password or scope of a user")
            .describe("Access tokens that the user got before are worth nothing from then on.")
            .body::<users::Update>(json!({"scope": "read"}))
            .answers::<User>(200, "The user as it is now."),
        Operation::new("users.remove", "Removes a user")
            .answers::<Told>(200, "The user is removed.")
            .example(json!({"message": "User 1 removed"})),
    ]
}

fn audit() -> Operation {
    Operation::new("audit.list", "Lists who changed what")
        .takes([
            Parameter::text("actor", "Who did it.").example("token:ci"),
            Parameter::text("action", "What they did: the name of an operation.").example("projects.create"),
            Parameter::text("result", "`ok`, `unknown`, or the code of the refusal.").example("ok"),
            Parameter::time("since", "Not before this time."),
            Parameter::time("until", "Before this time."),
        ])
        .lists::<Entry>("The entries, newest first.")
}
