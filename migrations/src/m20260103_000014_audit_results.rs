//! What an entry of the audit log is about beside its path, and how it ended. An entry is begun before something is done
//! and ended once; nothing else of it can be changed, and none can be deleted before it is old.

use sea_orm_migration::{
    prelude::*,
    schema::*,
    sea_orm::{ConnectionTrait, DbBackend},
};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const SQLITE_UP: &str = "
CREATE TRIGGER audit_is_ended_once BEFORE UPDATE ON audit
WHEN OLD.result <> 'unknown' OR NEW.id <> OLD.id OR NEW.at <> OLD.at OR NEW.actor <> OLD.actor
    OR NEW.action <> OLD.action OR NEW.target <> OLD.target OR NEW.tool IS NOT OLD.tool
    OR NEW.source_address IS NOT OLD.source_address OR NEW.request_id IS NOT OLD.request_id
BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
WHEN julianday(OLD.at) > julianday('now') - 30
BEGIN SELECT RAISE(ABORT, 'the audit log is kept for 30 days at least'); END;";

const SQLITE_DOWN: &str = "DROP TRIGGER audit_is_ended_once; DROP TRIGGER audit_is_kept;";

const POSTGRES_UP: &str = "
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.at > now() - interval '30 days' THEN
            RAISE EXCEPTION 'the audit log is kept for 30 days at least';
        END IF;
        RETURN OLD;
    END IF;
    IF OLD.result <> 'unknown'
        OR (NEW.id, NEW.at, NEW.actor, NEW.action, NEW.target, NEW.tool, NEW.source_address, NEW.request_id)
            IS DISTINCT FROM
            (OLD.id, OLD.at, OLD.actor, OLD.action, OLD.target, OLD.tool, OLD.source_address, OLD.request_id)
    THEN
        RAISE EXCEPTION 'the audit log is only appended to';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();";

const POSTGRES_DOWN: &str = "
DROP TRIGGER audit_is_append_only ON audit;
DROP FUNCTION audit_is_append_only();";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in columns() {
            // One at a time, since SQLite adds no more at once.
            manager
                .alter_table(Table::alter().table("audit").add_column(column).take())
                .await?;
        }
        let index = Index::create().name("audit_at").table("audit").col("at").take();
        manager.create_index(index).await?;
        run(manager, SQLITE_UP, POSTGRES_UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, SQLITE_DOWN, POSTGRES_DOWN).await?;
        manager
            .drop_index(Index::drop().name("audit_at").table("audit").to_owned())
            .await?;
        for mut column in columns() {
            let name = column.take().get_column_name();
            manager
                .alter_table(Table::alter().table("audit").drop_column(name).take())
                .await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

async fn run(manager: &SchemaManager<'_>, sqlite: &str, postgres: &str) -> Result<(), DbErr> {
    let statements = match manager.get_database_backend() {
        DbBackend::Postgres => postgres,
        _ => sqlite,
    };
    manager.get_connection().execute_unprepared(statements).await?;
    Ok(())
}

fn columns() -> [ColumnDef; 2] {
    [text_null("tool"), integer_null("status")]
}
