//! The table `push_wishes`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::{
    Error,
    id::DeploymentId,
    store::{column::parsed, now, push::Push},
    value::GitRef,
};

#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "push_wishes")]
pub(in crate::store::push) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub deployment_id: DeploymentId,
    pub branch: String,
    pub commit_id: String,
    pub wished_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(in crate::store::push) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What a row wishes for.
pub(in crate::store::push) struct Wish {
    pub(in crate::store::push) branch: GitRef,
    pub(in crate::store::push) commit: GitRef,
}

impl Model {
    /// Reads what is wished for.
    pub(in crate::store::push) fn wish(self) -> Result<Wish, Error> {
        Ok(Wish {
            branch: parsed("push_wishes.branch", self.branch)?,
            commit: parsed("push_wishes.commit_id", self.commit_id)?,
        })
    }
}

/// A fresh row.
pub(in crate::store::push) fn new(deployment_id: DeploymentId, push: &Push) -> ActiveModel {
    ActiveModel {
        deployment_id: Set(deployment_id),
        branch: Set(push.branch.to_string()),
        commit_id: Set(push.commit.to_string()),
        wished_at: Set(now()),
    }
}
