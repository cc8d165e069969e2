use chrono::{TimeDelta, Utc};

use super::{
    engines::each_store,
    samples::{ALL, new_kinds},
};
use crate::{
    Error,
    store::{
        Store,
        tokens::{self, NewToken, Token},
        users::{self, NewUser, Patch},
    },
    value::{Count, Rate, Scope},
};

fn new_token(hash: &str) -> NewToken {
    NewToken {
        name: "ci".to_owned().try_into().unwrap(),
        hash: hash.to_owned(),
        scope: Scope::Deploy,
        rate_limit: None,
        created_by: "ada".to_owned(),
        expires_at: None,
    }
}

fn new_user(name: &str) -> NewUser {
    NewUser {
        name: name.to_owned().try_into().unwrap(),
        password_hash: "$argon2id$1".to_owned(),
        scope: Scope::Admin,
    }
}

async fn valid_ids(store: &Store) -> Vec<i64> {
    let valid = tokens::valid(store).await.unwrap();
    valid.into_iter().map(|token| token.id.0).collect()
}

#[tokio::test]
async fn a_token_is_valid_until_it_expires_or_is_revoked() {
    each_store(async |store| {
        assert!(!tokens::has_any(store).await.unwrap());
        let count = |number: i64| Count::try_from(number).unwrap();
        let rate = Rate {
            per_minute: count(600),
            burst: count(1_000_000),
        };
        let rated = NewToken {
            rate_limit: Some(rate),
            ..new_token("a")
        };
        let lasting = tokens::create(store, &rated).await.unwrap();
        assert_eq!(tokens::token(store, lasting.id).await.unwrap(), lasting);
        assert_eq!((lasting.rate_limit, lasting.scope), (Some(rate), Scope::Deploy));

        let expired = NewToken {
            expires_at: Some(Utc::now() - TimeDelta::seconds(1)),
            ..new_token("b")
        };
        let expired = tokens::create(store, &expired).await.unwrap();
        let short = NewToken {
            expires_at: Some(Utc::now() + TimeDelta::hours(1)),
            ..new_token("c")
        };
        let short = tokens::create(store, &short).await.unwrap();
        assert_eq!(valid_ids(store).await, [lasting.id.0, short.id.0]);

        let revoked = tokens::revoke(store, lasting.id).await.unwrap();
        assert!(revoked.revoked_at.is_some());
        assert_eq!(tokens::revoke(store, lasting.id).await.unwrap(), revoked);
        assert_eq!(valid_ids(store).await, [short.id.0]);
        assert!(tokens::has_any(store).await.unwrap());

        let listed = tokens::list(store, ALL).await.unwrap();
        assert_eq!((listed.rows, listed.total), (vec![revoked, expired, short], 3));
        assert_eq!(new_kinds(store).await.len(), 4, "three were made and one was revoked");
    })
    .await;
}

#[tokio::test]
async fn a_use_is_recorded_and_an_absent_token_is_named() {
    each_store(async |store| {
        let token = tokens::create(store, &new_token("a")).await.unwrap();
        tokens::record_use(store, token.id).await.unwrap();
        let Token { last_used_at, .. } = tokens::token(store, token.id).await.unwrap();
        assert!(last_used_at >= Some(token.created_at));
        let absent = tokens::revoke(store, crate::id::TokenId(99)).await.unwrap_err();
        assert_eq!(absent.to_string(), "Token with id 99 not found");
    })
    .await;
}

#[tokio::test]
async fn every_change_of_a_user_begins_a_generation() {
    each_store(async |store| {
        let ada = users::create(store, &new_user("ada")).await.unwrap();
        let refused = users::create(store, &new_user("ada")).await.unwrap_err();
        assert!(matches!(refused, Error::NameInUse { .. }), "{refused}");
        let eve = users::create(store, &new_user("eve")).await.unwrap();

        let patch = Patch {
            password_hash: Some("$argon2id$2".to_owned()),
            scope: None,
        };
        users::update(store, ada.id, &patch).await.unwrap();
        let demoted = Patch {
            password_hash: None,
            scope: Some(Scope::Read),
        };
        let changed = users::update(store, ada.id, &demoted).await.unwrap();
        assert_eq!(users::user(store, ada.id).await.unwrap(), changed);
        let logins = users::logins(store).await.unwrap();
        assert_eq!(
            (logins[0].generation, logins[0].scope, logins[0].password_hash.as_str()),
            (3, Scope::Read, "$argon2id$2")
        );

        assert_eq!(
            users::list(store, Some(&eve.name), ALL).await.unwrap().rows,
            std::slice::from_ref(&eve)
        );
        users::delete(store, ada.id).await.unwrap();
        assert_eq!(users::list(store, None, ALL).await.unwrap().rows, [eve]);
        for error in [
            users::delete(store, ada.id).await.unwrap_err(),
            users::update(store, ada.id, &demoted).await.unwrap_err(),
            users::user(store, ada.id).await.unwrap_err(),
        ] {
            assert_eq!(error.code(), "NOT_FOUND");
        }
        assert_eq!(
            new_kinds(store).await,
            [
                "user_created",
                "user_created",
                "user_changed",
                "user_changed",
                "user_removed"
            ]
        );
    })
    .await;
}
