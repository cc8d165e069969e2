//! `borgos token`: how programs show who they are.

use std::time::Duration;

use borgos_actors::{
    credentials::{Secret, digest},
    id::TokenId,
    store::{
        Page, Store,
        tokens::{self, NewToken},
    },
    value::{Scope, ShortText},
};
use chrono::Utc;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Failure,
    client::{Client, understood},
    output::{self, line, note, plain, rows, table},
    place::{HELP, Keeper, Place, audited, refused},
};

/// As many are listed.
pub(super) const MAX_LISTED: u64 = 1000;

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token and print its secret, which is shown this once
    Create {
        /// What it is for
        #[arg(long, value_name = "NAME")]
        name: String,
        /// What it allows: read, deploy or admin
        #[arg(long, value_parser = scope)]
        scope: Scope,
        /// How long it is valid, such as 12h or 30d [default: for ever]
        #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
        expires: Option<Duration>,
    },
    /// List the tokens, without their secrets
    List,
    /// Make a token invalid, at once and for ever
    Revoke { id: u64 },
}

/// A token, as far as it is shown here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Token {
    id: i64,
    name: String,
    scope: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

/// Reads a scope from the command line.
pub(super) fn scope(text: &str) -> Result<Scope, String> {
    let scopes = [Scope::Read, Scope::Deploy, Scope::Admin];
    let found = scopes.into_iter().find(|scope| scope.as_str() == text);
    found.ok_or_else(|| "must be `read`, `deploy` or `admin`".to_owned())
}

/// Carries out the command.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let keeper = arguments.place.keeper().await?;
    match arguments.command {
        Command::Create { name, scope, expires } => create(&keeper, name, scope, expires, arguments.json).await,
        Command::List => list(&keeper, arguments.json).await,
        Command::Revoke { id } => revoke(&keeper, id).await,
    }
}

async fn create(
    keeper: &Keeper,
    name: String,
    scope: Scope,
    expires: Option<Duration>,
    is_json: bool,
) -> Result<(), Failure> {
    let name = ShortText::try_from(name).map_err(|invalid| Failure::Usage(format!("`--name` {invalid}")))?;
    let token = match keeper {
        Keeper::Service(client) => ask_for(client, &name, scope, expires).await?,
        Keeper::Database(store) => make(store, name, scope, expires).await?,
    };
    if is_json {
        return Ok(line(&output::json(&token))?);
    }
    line(token["token"].as_str().unwrap_or_default())?;
    note(&format!(
        "token {} is shown this once; have clients send it as `Authorization: Bearer`, or set BORGOS_TOKEN to it",
        token["id"]
    ));
    Ok(())
}

async fn ask_for(client: &Client, name: &ShortText, scope: Scope, expires: Option<Duration>) -> Result<Value, Failure> {
    let mut body = json!({"name": name, "scope": scope});
    if let Some(expires) = expires {
        body["expires_in_s"] = expires.as_secs().into();
    }
    client.request(Method::POST, "/api/v1/tokens", Some(&body)).await
}

async fn make(store: &Store, name: ShortText, scope: Scope, expires: Option<Duration>) -> Result<Value, Failure> {
    let secret = Secret::token().map_err(refused)?;
    let too_long = || Failure::Usage("`--expires` is too long".to_owned());
    let expires_at = match expires.map(chrono::TimeDelta::from_std) {
        Some(lifetime) => {
            let lifetime = lifetime.map_err(|_| too_long())?;
            Some(Utc::now().checked_add_signed(lifetime).ok_or_else(too_long)?)
        }
        None => None,
    };
    let new = NewToken {
        name,
        hash: digest(secret.expose()),
        scope,
        rate_limit: None,
        created_by: "command-line".to_owned(),
        expires_at,
    };
    let work = tokens::create(store, &new);
    let mut token = json!(audited(store, "tokens.create", "/api/v1/tokens".to_owned(), work).await?);
    token["token"] = secret.expose().into();
    Ok(token)
}

async fn list(keeper: &Keeper, is_json: bool) -> Result<(), Failure> {
    let answer = match keeper {
        Keeper::Service(client) => {
            let limit = MAX_LISTED.to_string();
            client.find("/api/v1/tokens", &[("limit", &limit)]).await?.1
        }
        Keeper::Database(store) => {
            let page = Page {
                limit: MAX_LISTED,
                offset: 0,
            };
            json!(tokens::list(store, page).await.map_err(refused)?.rows)
        }
    };
    if is_json {
        return Ok(line(&output::json(&answer))?);
    }
    let mut shown = table(&["ID", "NAME", "SCOPE", "VALID UNTIL", "LAST USED"]);
    for token in understood::<Vec<Token>>(answer)? {
        let until = match (&token.revoked_at, &token.expires_at) {
            (Some(_), _) => "revoked".to_owned(),
            (None, Some(at)) => plain(at),
            (None, None) => "for ever".to_owned(),
        };
        let used = token.last_used_at.as_deref().map_or("-".to_owned(), plain);
        shown.add_row([
            token.id.to_string(),
            plain(&token.name),
            plain(&token.scope),
            until,
            used,
        ]);
    }
    for text in rows(shown) {
        line(&text)?;
    }
    Ok(())
}

async fn revoke(keeper: &Keeper, id: u64) -> Result<(), Failure> {
    match keeper {
        Keeper::Service(client) => {
            client
                .request(Method::DELETE, &format!("/api/v1/tokens/{id}"), None)
                .await?;
        }
        Keeper::Database(store) => {
            let id = i64::try_from(id).map_err(|_| Failure::NotFound(format!("there is no token {id}")))?;
            let work = tokens::revoke(store, TokenId(id));
            audited(store, "tokens.revoke", format!("/api/v1/tokens/{id}"), work).await?;
        }
    }
    Ok(line(&format!("token {id} is revoked"))?)
}
