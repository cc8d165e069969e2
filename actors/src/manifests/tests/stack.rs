//! The tables from packages to technologies.

use super::*;

/// A manifest of one dependency.
fn manifest(ecosystem: &str, name: &str) -> (&'static str, String) {
    let (package, feature) = name.trim_end_matches(']').split_once('[').unwrap_or((name, ""));
    match ecosystem {
        "cargo" => (
            "Cargo.toml",
            format!(
                "[package]\nname = \"x\"\n[dependencies]\n{package} = {{ version = \"1\", features = [\"{feature}\"] }}\n"
            ),
        ),
        "npm" => ("package.json", format!("{{\"dependencies\": {{\"{name}\": \"^1\"}}}}")),
        "pypi" => ("requirements.txt", format!("{name}\n")),
        "go" => ("go.mod", format!("module x\n\nrequire {name} v1.0.0\n")),
        "maven" => (
            "build.gradle",
            format!("dependencies {{\n  implementation '{name}:1.0'\n}}\n"),
        ),
        "composer" => ("composer.json", format!("{{\"require\": {{\"{name}\": \"^1\"}}}}")),
        _ => ("Gemfile", format!("gem \"{name}\"\n")),
    }
}

#[test]
fn packages_tell_of_frameworks() {
    for (ecosystem, name, technology) in [
        ("cargo", "axum", "axum"),
        ("cargo", "actix-web", "actix-web"),
        ("cargo", "tokio", "tokio"),
        ("cargo", "warp", "warp"),
        ("cargo", "leptos", "leptos"),
        ("npm", "next", "next"),
        ("npm", "@nestjs/core", "nestjs"),
        ("npm", "@angular/core", "angular"),
        ("npm", "@sveltejs/kit", "sveltekit"),
        ("npm", "vue", "vue"),
        ("npm", "express", "express"),
        ("npm", "@ionic/react", "ionic"),
        ("npm", "@prisma/client", "prisma"),
        ("pypi", "Django", "django"),
        ("pypi", "fastapi[all]", "fastapi"),
        ("pypi", "torch", "pytorch"),
        ("pypi", "scikit_learn", "scikit-learn"),
        ("pypi", "apache-airflow", "airflow"),
        ("pypi", "streamlit", "streamlit"),
        ("go", "github.com/gin-gonic/gin", "gin"),
        ("go", "github.com/gofiber/fiber/v2", "fiber"),
        ("go", "github.com/labstack/echo/v4", "echo"),
        ("go", "github.com/spf13/cobra", "cobra"),
        ("go", "google.golang.org/grpc", "grpc"),
        (
            "maven",
            "org.springframework.boot:spring-boot-starter-web",
            "spring-boot",
        ),
        ("maven", "io.ktor:ktor-server-netty", "ktor"),
        ("maven", "io.quarkus:quarkus-rest-jackson", "quarkus"),
        ("composer", "laravel/framework", "laravel"),
        ("composer", "symfony/framework-bundle", "symfony"),
        ("composer", "drupal/core-recommended", "drupal"),
        ("gem", "rails", "rails"),
        ("gem", "sinatra", "sinatra"),
    ] {
        let (path, content) = manifest(ecosystem, name);
        assert_eq!(
            project(&[(path, &content)]).stack.frameworks,
            [technology],
            "{ecosystem} {name}"
        );
    }
}

#[test]
fn packages_tell_of_databases() {
    for (ecosystem, name, technology) in [
        ("cargo", "sqlx[postgres]", "postgresql"),
        ("cargo", "diesel[mysql]", "mysql"),
        ("cargo", "sea-orm[sqlx-sqlite]", "sqlite"),
        ("cargo", "rusqlite", "sqlite"),
        ("cargo", "redis", "redis"),
        ("cargo", "mongodb", "mongodb"),
        ("cargo", "rdkafka", "kafka"),
        ("npm", "pg", "postgresql"),
        ("npm", "mysql2", "mysql"),
        ("npm", "mongoose", "mongodb"),
        ("npm", "ioredis", "redis"),
        ("npm", "better-sqlite3", "sqlite"),
        ("npm", "@elastic/elasticsearch", "elasticsearch"),
        ("npm", "amqplib", "rabbitmq"),
        ("pypi", "psycopg2-binary", "postgresql"),
        ("pypi", "psycopg[binary]", "postgresql"),
        ("pypi", "sqlalchemy[postgresql]", "postgresql"),
        ("pypi", "celery[redis]", "redis"),
        ("pypi", "mysqlclient", "mysql"),
        ("pypi", "pymongo", "mongodb"),
        ("pypi", "qdrant-client", "qdrant"),
        ("go", "github.com/jackc/pgx/v5", "postgresql"),
        ("go", "github.com/go-sql-driver/mysql", "mysql"),
        ("go", "github.com/redis/go-redis/v9", "redis"),
        ("go", "go.mongodb.org/mongo-driver", "mongodb"),
        ("maven", "org.postgresql:postgresql", "postgresql"),
        ("maven", "com.mysql:mysql-connector-j", "mysql"),
        ("maven", "org.mongodb:mongodb-driver-sync", "mongodb"),
        ("composer", "predis/predis", "redis"),
        ("composer", "ext-pgsql", "postgresql"),
        ("gem", "pg", "postgresql"),
        ("gem", "mysql2", "mysql"),
        ("gem", "sidekiq", "redis"),
    ] {
        let (path, content) = manifest(ecosystem, name);
        assert_eq!(
            project(&[(path, &content)]).stack.databases,
            [technology],
            "{ecosystem} {name}"
        );
    }
}

#[test]
fn packages_tell_of_tools() {
    for (ecosystem, name, technology) in [
        ("cargo", "criterion", "criterion"),
        ("npm", "vite", "vite"),
        ("npm", "eslint", "eslint"),
        ("npm", "@playwright/test", "playwright"),
        ("npm", "tailwindcss", "tailwindcss"),
        ("pypi", "pytest", "pytest"),
        ("pypi", "ruff", "ruff"),
        ("go", "github.com/stretchr/testify", "testify"),
        ("composer", "phpunit/phpunit", "phpunit"),
        ("gem", "rspec", "rspec"),
    ] {
        let (path, content) = manifest(ecosystem, name);
        let tools = project(&[(path, &content)]).stack.tools;
        assert_eq!(tools, [technology], "{ecosystem} {name}");
    }
}

#[test]
fn similar_names_tell_nothing() {
    for (ecosystem, name) in [
        ("cargo", "sqlx[runtime-tokio]"),
        ("cargo", "postgres-types"),
        ("npm", "react-postgres-like"),
        ("npm", "pg-promise-strict"),
        ("pypi", "django-like-thing"),
        ("go", "github.com/jackc/pgxlike"),
        ("maven", "org.postgresqlx:postgresql"),
        ("gem", "pg_query_like"),
    ] {
        let (path, content) = manifest(ecosystem, name);
        assert_eq!(
            project(&[(path, &content)]).stack.databases,
            [""; 0],
            "{ecosystem} {name}"
        );
    }
}

#[test]
fn the_list_of_technologies_is_one_that_a_project_may_have() {
    let findings = project(&[
        (
            "package.json",
            r#"{"dependencies": {"react": "^19.0.0", "pg": "^8"}, "devDependencies": {"jest": "^29"}}"#,
        ),
        ("api/requirements.txt", "flask\nsqlalchemy\n"),
        ("jobs/requirements.txt", "celery\n"),
    ]);
    let names = findings.tech_stack();
    assert_eq!(
        names,
        [
            "python",
            "javascript",
            "react",
            "flask",
            "celery",
            "sqlalchemy",
            "postgresql",
            "jest"
        ]
    );
    assert!(crate::value::TechStack::try_from(names).is_ok());
}
