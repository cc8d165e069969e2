//! Other names of the same thing, and what a technology implies.

/// Names and the one under which they are compared; sorted.
const SAME: [(&str, &str); 39] = [
    ("ai", "artificialintelligence"),
    ("app", "application"),
    ("auth", "authentication"),
    ("bash", "shell"),
    ("cli", "commandline"),
    ("config", "configuration"),
    ("cplusplus", "c++"),
    ("cpp", "c++"),
    ("csharp", "c#"),
    ("db", "database"),
    ("doc", "documentation"),
    ("docs", "documentation"),
    ("ecmascript", "javascript"),
    ("elastic", "elasticsearch"),
    ("es", "elasticsearch"),
    ("golang", "go"),
    ("js", "javascript"),
    ("k8s", "kubernetes"),
    ("kube", "kubernetes"),
    ("ml", "machinelearning"),
    ("mongo", "mongodb"),
    ("nextjs", "next"),
    ("node", "nodejs"),
    ("pg", "postgresql"),
    ("postgres", "postgresql"),
    ("psql", "postgresql"),
    ("py", "python"),
    ("python3", "python"),
    ("rb", "ruby"),
    ("reactjs", "react"),
    ("repo", "repository"),
    ("rs", "rust"),
    ("sh", "shell"),
    ("sqlite3", "sqlite"),
    ("terminal", "commandline"),
    ("tf", "terraform"),
    ("ts", "typescript"),
    ("ui", "frontend"),
    ("vuejs", "vue"),
];

/// What a technology implies; sorted.
const IMPLIED: [(&str, &[&str]); 62] = [
    ("actix", &["rust", "web", "api", "backend"]),
    ("aiohttp", &["python", "web"]),
    ("angular", &["typescript", "web", "frontend"]),
    ("axum", &["rust", "web", "api", "backend"]),
    ("bevy", &["rust", "game"]),
    ("celery", &["python", "queue", "worker"]),
    ("deno", &["javascript", "typescript"]),
    ("django", &["python", "web", "framework", "backend"]),
    ("docker", &["container"]),
    ("echo", &["go", "web", "api", "backend"]),
    ("elasticsearch", &["database", "search"]),
    ("electron", &["javascript", "desktop"]),
    ("express", &["javascript", "nodejs", "web", "api", "backend"]),
    ("fastapi", &["python", "web", "api", "framework", "backend"]),
    ("fastify", &["javascript", "nodejs", "web", "api", "backend"]),
    ("fiber", &["go", "web", "api", "backend"]),
    ("flask", &["python", "web", "framework", "backend"]),
    ("flutter", &["dart", "mobile"]),
    ("gin", &["go", "web", "api", "backend"]),
    ("jest", &["javascript", "test"]),
    ("kafka", &["queue", "streaming"]),
    ("koa", &["javascript", "nodejs", "web", "backend"]),
    ("kotlin", &["jvm"]),
    ("kubernetes", &["container", "cluster"]),
    ("laravel", &["php", "web", "framework", "backend"]),
    ("mariadb", &["database", "sql"]),
    ("mongodb", &["database", "nosql"]),
    ("mysql", &["database", "sql"]),
    ("nest", &["typescript", "nodejs", "web", "backend"]),
    ("nestjs", &["typescript", "nodejs", "web", "backend"]),
    ("next", &["javascript", "react", "web", "frontend"]),
    ("nodejs", &["javascript"]),
    ("numpy", &["python", "data", "science"]),
    ("nuxt", &["javascript", "vue", "web", "frontend"]),
    ("pandas", &["python", "data"]),
    ("phoenix", &["elixir", "web", "framework", "backend"]),
    ("postgresql", &["database", "sql"]),
    ("pytest", &["python", "test"]),
    ("pytorch", &["python", "machinelearning", "artificialintelligence"]),
    ("quarkus", &["java", "web", "backend"]),
    ("rabbitmq", &["queue"]),
    ("rails", &["ruby", "web", "framework", "backend"]),
    ("react", &["javascript", "web", "frontend"]),
    ("redis", &["database", "cache"]),
    ("rocket", &["rust", "web", "api", "backend"]),
    ("scikit", &["python", "machinelearning", "data"]),
    ("sinatra", &["ruby", "web", "backend"]),
    ("spring", &["java", "web", "framework", "backend"]),
    ("sqlalchemy", &["python", "database", "orm"]),
    ("sqlite", &["database", "sql"]),
    ("starlette", &["python", "web", "backend"]),
    ("svelte", &["javascript", "web", "frontend"]),
    ("symfony", &["php", "web", "framework", "backend"]),
    ("tauri", &["rust", "desktop"]),
    ("tensorflow", &["python", "machinelearning", "artificialintelligence"]),
    ("terraform", &["infrastructure", "cloud"]),
    ("tokio", &["rust", "async"]),
    ("torch", &["python", "machinelearning", "artificialintelligence"]),
    ("tornado", &["python", "web", "backend"]),
    ("vue", &["javascript", "web", "frontend"]),
    ("warp", &["rust", "web", "api", "backend"]),
    ("wordpress", &["php", "web", "cms"]),
];

/// Returns the name under which the word is compared.
pub(super) fn usual_name(word: &str) -> &str {
    find(&SAME, word).unwrap_or(word)
}

/// Returns what the technology of that usual name implies.
pub(super) fn implied(technology: &str) -> &'static [&'static str] {
    find(&IMPLIED, technology).unwrap_or_default()
}

fn find<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    let index = table.binary_search_by(|(name, _)| (*name).cmp(word)).ok()?;
    table.get(index).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted() {
        assert!(SAME.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(IMPLIED.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn what_is_implied_goes_by_its_usual_name() {
        for (technology, implied) in IMPLIED {
            assert_eq!(usual_name(technology), technology);
            assert!(implied.iter().all(|word| usual_name(word) == *word), "{technology}");
        }
    }
}
