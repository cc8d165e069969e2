//! Which projects are wanted.

use sea_orm::{DbBackend, QueryTrait, Select, entity::prelude::*, sea_query::Expr};

use super::row;
use crate::value::{ProjectName, ProjectType, TechStack};

/// Which projects are wanted. What is empty does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Whether people work with it.
    pub is_active: Option<bool>,
    /// What it must be made with, all of it.
    pub tech_stack: TechStack,
    /// What kind of program it is.
    pub project_type: Option<ProjectType>,
    /// What people call it, in full.
    pub name: Option<ProjectName>,
}

impl Filter {
    pub(super) fn apply(&self, query: Select<row::Entity>, backend: DbBackend) -> Select<row::Entity> {
        let text = |value: &ProjectType| String::from(value.clone());
        let mut query = query
            .apply_if(self.is_active, |query, is_active| {
                query.filter(row::Column::IsActive.eq(is_active))
            })
            .apply_if(self.project_type.as_ref(), |query, kind| {
                query.filter(row::Column::ProjectType.eq(text(kind)))
            })
            .apply_if(self.name.clone(), |query, name| {
                query.filter(row::Column::Name.eq(String::from(name)))
            });
        for technology in Vec::from(self.tech_stack.clone()) {
            query = query.filter(has_technology(technology, backend));
        }
        query
    }
}

fn has_technology(name: String, backend: DbBackend) -> Expr {
    let elements = match backend {
        DbBackend::Postgres => {
            "EXISTS (SELECT 1 FROM jsonb_array_elements_text(projects.tech_stack) AS t(v) WHERE v = $1)"
        }
        _ => "EXISTS (SELECT 1 FROM json_each(projects.tech_stack) WHERE value = ?)",
    };
    Expr::cust_with_values(elements, [name])
}
