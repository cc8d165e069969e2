//! `borgos user`: who may use the service by name and password.

use borgos_actors::{
    credentials::hash,
    id::UserId,
    store::{
        Page, Store,
        users::{self, NewUser, Patch},
    },
    value::{Scope, UserName},
};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Failure,
    client::{Client, understood},
    output::{self, line, plain, rows, table},
    password,
    place::{HELP, Keeper, Place, audited, refused},
    token::{MAX_LISTED, scope},
};

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
    /// Add a user; the password is asked for, or is the first line of standard input
    Add {
        name: String,
        /// What they may do: read, deploy or admin
        #[arg(long, value_parser = scope, default_value = "read", conflicts_with = "admin")]
        scope: Scope,
        /// The same as `--scope admin`
        #[arg(long)]
        admin: bool,
    },
    /// Give a user another password; access tokens and connections of before end
    Passwd { name: String },
    /// List the users
    List,
    /// Remove a user
    Remove { name: String },
}

/// A user, as far as it is shown here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    id: i64,
    name: String,
    scope: String,
    created_at: String,
}

/// Carries out the command.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let is_json = arguments.json;
    match arguments.command {
        Command::Add { name, scope, admin } => {
            let scope = if admin { Scope::Admin } else { scope };
            add(&arguments.place, &name, scope, is_json).await
        }
        Command::Passwd { name } => change_password(&arguments.place, &name).await,
        Command::List => list(&arguments.place.keeper().await?, is_json).await,
        Command::Remove { name } => remove(&arguments.place.keeper().await?, &name).await,
    }
}

async fn add(place: &Place, name: &str, scope: Scope, is_json: bool) -> Result<(), Failure> {
    let name = UserName::try_from(name.to_owned()).map_err(|invalid| Failure::Usage(format!("NAME {invalid}")))?;
    let keeper = place.keeper().await?;
    let password = password::ask()?;
    let user: Value = match &keeper {
        Keeper::Service(client) => {
            let body = json!({"name": name, "password": password.expose(), "scope": scope});
            client.request(Method::POST, "/api/v1/users", Some(&body)).await?
        }
        Keeper::Database(store) => {
            let new = NewUser {
                name: name.clone(),
                password_hash: hash(password).await.map_err(refused)?,
                scope,
            };
            let work = users::create(store, &new);
            json!(audited(store, "users.create", "/api/v1/users".to_owned(), work).await?)
        }
    };
    match is_json {
        true => Ok(line(&output::json(&user))?),
        false => Ok(line(&format!("user {} may {}", name.as_str(), scope.as_str()))?),
    }
}

async fn change_password(place: &Place, name: &str) -> Result<(), Failure> {
    let keeper = place.keeper().await?;
    let id = find(&keeper, name).await?;
    let password = password::ask()?;
    match &keeper {
        Keeper::Service(client) => {
            let body = json!({"password": password.expose()});
            client
                .request(Method::PATCH, &format!("/api/v1/users/{id}"), Some(&body))
                .await?;
        }
        Keeper::Database(store) => {
            let patch = Patch {
                password_hash: Some(hash(password).await.map_err(refused)?),
                scope: None,
            };
            let work = users::update(store, UserId(id), &patch);
            audited(store, "users.update", format!("/api/v1/users/{id}"), work).await?;
        }
    }
    Ok(line(&format!("user {name} has another password"))?)
}

async fn list(keeper: &Keeper, is_json: bool) -> Result<(), Failure> {
    let answer = match keeper {
        Keeper::Service(client) => find_users(client, "limit", &MAX_LISTED.to_string()).await?,
        Keeper::Database(store) => listed(store, None).await?,
    };
    if is_json {
        return Ok(line(&output::json(&answer))?);
    }
    let mut shown = table(&["ID", "NAME", "SCOPE", "SINCE"]);
    for user in understood::<Vec<User>>(answer)? {
        shown.add_row([
            user.id.to_string(),
            plain(&user.name),
            plain(&user.scope),
            plain(&user.created_at),
        ]);
    }
    for text in rows(shown) {
        line(&text)?;
    }
    Ok(())
}

async fn remove(keeper: &Keeper, name: &str) -> Result<(), Failure> {
    let id = find(keeper, name).await?;
    match keeper {
        Keeper::Service(client) => {
            client
                .request(Method::DELETE, &format!("/api/v1/users/{id}"), None)
                .await?;
        }
        Keeper::Database(store) => {
            let work = users::delete(store, UserId(id));
            audited(store, "users.remove", format!("/api/v1/users/{id}"), work).await?;
        }
    }
    Ok(line(&format!("user {name} was removed"))?)
}

/// Returns the id of the user of a name.
async fn find(keeper: &Keeper, name: &str) -> Result<i64, Failure> {
    let name = UserName::try_from(name.to_owned()).map_err(|invalid| Failure::Usage(format!("NAME {invalid}")))?;
    let answer = match keeper {
        Keeper::Service(client) => find_users(client, "name", name.as_str()).await?,
        Keeper::Database(store) => listed(store, Some(&name)).await?,
    };
    let found: Vec<User> = understood(answer)?;
    let absent = || Failure::NotFound(format!("there is no user {}", name.as_str()));
    found.first().map(|user| user.id).ok_or_else(absent)
}

async fn find_users(client: &Client, parameter: &str, value: &str) -> Result<Value, Failure> {
    Ok(client.find("/api/v1/users", &[(parameter, value)]).await?.1)
}

async fn listed(store: &Store, name: Option<&UserName>) -> Result<Value, Failure> {
    let page = Page {
        limit: MAX_LISTED,
        offset: 0,
    };
    Ok(json!(users::list(store, name, page).await.map_err(refused)?.rows))
}
