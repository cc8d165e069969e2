//! Who has a port or a name. The unique indexes decide; this tells people who won.

use sea_orm::{DatabaseTransaction, entity::prelude::*};

use super::{live, row};
use crate::{
    Error,
    value::{DeploymentName, Port},
};

pub(super) async fn check_port(transaction: &DatabaseTransaction, port: Port) -> Result<(), Error> {
    let same_port = live().filter(row::Column::Port.eq(i32::from(port.get())));
    match same_port.one(transaction).await? {
        None => Ok(()),
        Some(row) => Err(Error::PortInUse {
            port,
            holder: Some(format!("deployment `{}`", row.name)),
        }),
    }
}

pub(super) async fn check_name(transaction: &DatabaseTransaction, name: &DeploymentName) -> Result<(), Error> {
    let name = String::from(name.clone());
    let same_name = live().filter(row::Column::Name.eq(&name));
    match same_name.one(transaction).await? {
        None => Ok(()),
        Some(_) => Err(Error::NameInUse { name }),
    }
}
