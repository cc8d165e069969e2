//! Go modules, named without the suffix of their major version.

use super::{
    Category::{Api, Cli, Database, Framework, Infra, Tool, Web},
    Rule,
};

/// Takes the major version off a module's path: `github.com/a/b/v5` is `github.com/a/b`.
pub(super) fn without_version(module: &str) -> &str {
    let is_version = |text: &str| text.strip_prefix('v').is_some_and(|rest| rest.parse::<u16>().is_ok());
    match module.rsplit_once('/') {
        Some((path, last)) if is_version(last) => path,
        _ => module,
    }
}

pub(super) const RULES: &[Rule] = &[
    ("entgo.io/ent", "ent", Framework),
    ("github.com/99designs/gqlgen", "graphql", Api),
    ("github.com/ClickHouse/clickhouse-go", "clickhouse", Database),
    ("github.com/IBM/sarama", "kafka", Database),
    ("github.com/a-h/templ", "templ", Web),
    ("github.com/charmbracelet/bubbletea", "bubbletea", Cli),
    ("github.com/dgraph-io/badger", "badger", Database),
    ("github.com/elastic/go-elasticsearch", "elasticsearch", Database),
    ("github.com/gin-gonic/gin", "gin", Api),
    ("github.com/go-chi/chi", "chi", Api),
    ("github.com/go-redis/redis", "redis", Database),
    ("github.com/go-sql-driver/mysql", "mysql", Database),
    ("github.com/gofiber/fiber", "fiber", Api),
    ("github.com/gorilla/mux", "gorilla", Api),
    ("github.com/hashicorp/terraform-plugin-sdk", "terraform", Infra),
    ("github.com/jackc/pgx", "postgresql", Database),
    ("github.com/labstack/echo", "echo", Api),
    ("github.com/lib/pq", "postgresql", Database),
    ("github.com/mattn/go-sqlite3", "sqlite", Database),
    ("github.com/nats-io/nats.go", "nats", Database),
    ("github.com/neo4j/neo4j-go-driver", "neo4j", Database),
    ("github.com/onsi/ginkgo", "ginkgo", Tool),
    ("github.com/prometheus/client_golang", "prometheus", Tool),
    ("github.com/pulumi/pulumi/sdk", "pulumi", Infra),
    ("github.com/rabbitmq/amqp091-go", "rabbitmq", Database),
    ("github.com/redis/go-redis", "redis", Database),
    ("github.com/segmentio/kafka-go", "kafka", Database),
    ("github.com/spf13/cobra", "cobra", Cli),
    ("github.com/stretchr/testify", "testify", Tool),
    ("github.com/twmb/franz-go", "kafka", Database),
    ("github.com/urfave/cli", "urfave-cli", Cli),
    ("go.etcd.io/bbolt", "bbolt", Database),
    ("go.etcd.io/etcd/client", "etcd", Database),
    ("go.mongodb.org/mongo-driver", "mongodb", Database),
    ("google.golang.org/grpc", "grpc", Api),
    ("gorm.io/driver/mysql", "mysql", Database),
    ("gorm.io/driver/postgres", "postgresql", Database),
    ("gorm.io/driver/sqlite", "sqlite", Database),
    ("gorm.io/gorm", "gorm", Framework),
    ("k8s.io/client-go", "kubernetes", Framework),
    ("modernc.org/sqlite", "sqlite", Database),
    ("sigs.k8s.io/controller-runtime", "kubernetes", Framework),
];
