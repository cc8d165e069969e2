use super::*;

#[test]
fn a_lock_file_decides_how_packages_are_installed() {
    let package = r#"{"scripts": {"start": "node server.js"}, "dependencies": {"express": "5"}}"#;
    for (lock, lines) in [
        (
            "package-lock.json",
            &[
                "COPY package.json package-lock.json ./",
                "RUN npm ci --omit=dev",
                "COPY . .",
            ][..],
        ),
        (
            "pnpm-lock.yaml",
            &["RUN corepack enable pnpm", "RUN pnpm install --frozen-lockfile --prod"],
        ),
        (
            "yarn.lock",
            &[
                "COPY package.json yarn.lock ./",
                "RUN yarn install --frozen-lockfile --production",
            ],
        ),
    ] {
        let recipe = plan(&[("package.json", package), (lock, "")]);
        assert_lines(&recipe, lines);
        assert_lines(&recipe, &["USER 10001:10001", "CMD [\"node\",\"server.js\"]"]);
        assert_eq!(
            (recipe.kind, recipe.port, recipe.warnings.len()),
            (Kind::Node, Some(8080), 0)
        );
    }
    let unlocked = plan(&[("package.json", package)]);
    assert_lines(
        &unlocked,
        &["COPY package.json ./", "RUN npm install --omit=dev", "COPY . ."],
    );
    assert!(unlocked.warnings[0].contains("no lock file"));
}

#[test]
fn packages_that_need_the_sources_are_installed_after_them() {
    let package = r#"{"scripts": {"start": "node .", "postinstall": "node x"}, "dependencies": {"a": "1"}}"#;
    let recipe = plan(&[("package.json", package), ("package-lock.json", "")]);
    assert_lines(&recipe, &["COPY . .", "RUN npm ci --omit=dev"]);
}

#[test]
fn a_build_script_is_run_and_what_only_it_needs_is_left_behind() {
    let package =
        r#"{"scripts": {"start": "next start -p 3000", "build": "next build"}, "dependencies": {"next": "16"}}"#;
    let recipe = plan(&[("package.json", package), ("package-lock.json", "")]);
    assert_lines(
        &recipe,
        &[
            "RUN npm ci",
            "COPY . .",
            "RUN npm run build",
            "RUN npm prune --omit=dev",
            "EXPOSE 3000",
        ],
    );
    assert_eq!((command(&recipe).as_str(), recipe.port), ("npm run start", Some(3000)));
}

#[test]
fn pages_that_a_tool_builds_are_served_without_node() {
    let package = r#"{"scripts": {"dev": "vite", "build": "vite build"}, "devDependencies": {"vite": "7"}}"#;
    let recipe = plan(&[("package.json", package), ("package-lock.json", ""), ("index.html", "")]);
    assert_lines(
        &recipe,
        &[
            "RUN npm run build",
            "FROM busybox:stable",
            "COPY --chown=10001:10001 --from=build /app/dist /site",
        ],
    );
    let start =
        r#"{"scripts": {"start": "react-scripts start", "build": "x"}, "dependencies": {"react-scripts": "5"}}"#;
    assert!(dockerfile(&plan(&[("package.json", start)])).contains("/app/build /site"));
}

#[test]
fn a_start_is_found_in_frameworks_and_files() {
    let main = plan(&[("package.json", r#"{"main": "src/x.js"}"#), ("src/x.js", "")]);
    assert_eq!(command(&main), "node src/x.js");
    let usual = plan(&[("package.json", r#"{"main": "../x.js"}"#), ("server.js", "")]);
    assert_eq!(command(&usual), "node server.js");
    let nest = r#"{"scripts": {"build": "nest build"}, "dependencies": {"@nestjs/core": "11"}}"#;
    assert_eq!(command(&plan(&[("package.json", nest)])), "node dist/main.js");
}

#[test]
fn python_is_started_by_the_framework_that_is_there() {
    for (requirements, files, expected) in [
        (
            "fastapi\nuvicorn\n",
            &[("main.py", "app = FastAPI()\n")][..],
            "exec uvicorn main:app --host 0.0.0.0 --port $PORT",
        ),
        (
            "fastapi\nuvicorn\n",
            &[("app/main.py", "api: FastAPI = fastapi.FastAPI(\n")],
            "exec uvicorn app.main:api --host 0.0.0.0 --port $PORT",
        ),
        (
            "Flask\ngunicorn\n",
            &[("app.py", "server = Flask(__name__)\n")],
            "exec gunicorn --bind 0.0.0.0:$PORT 'app:server'",
        ),
        (
            "flask\n",
            &[("app.py", "def create_app():\n    return Flask(__name__)\n")],
            "exec flask --app 'app:create_app()' run --host 0.0.0.0 --port $PORT",
        ),
        (
            "Django\ngunicorn\n",
            &[("manage.py", ""), ("shop/wsgi.py", "")],
            "exec gunicorn --bind 0.0.0.0:$PORT shop.wsgi",
        ),
        (
            "streamlit\n",
            &[("app.py", "")],
            "exec streamlit run app.py --server.port $PORT --server.address 0.0.0.0 --server.headless true",
        ),
    ] {
        let files = [&[("requirements.txt", requirements)], files].concat();
        let recipe = plan(&files);
        assert_eq!(command(&recipe), format!("sh -c {expected}"), "{requirements}");
        assert_lines(
            &recipe,
            &[
                "COPY requirements.txt ./",
                "RUN pip install --no-cache-dir -r requirements.txt",
                "COPY . .",
                "USER 10001:10001",
            ],
        );
    }
    assert_eq!(
        command(&plan(&[("requirements.txt", ""), ("server.py", "")])),
        "python server.py"
    );
}

#[test]
fn python_packages_are_installed_by_whoever_locked_them() {
    let project = "[project]\nname = \"x\"\nversion = \"1\"\n[project.scripts]\nserve = \"x:main\"\n";
    for (lock, line) in [
        (Some("uv.lock"), "RUN uv sync --frozen --no-dev --no-editable"),
        (
            Some("poetry.lock"),
            "RUN /poetry/bin/poetry install --only main --no-root --no-interaction --no-cache",
        ),
        (None, "RUN pip install --no-cache-dir ."),
    ] {
        let mut files = vec![("pyproject.toml", project)];
        files.extend(lock.map(|lock| (lock, "")));
        let recipe = plan(&files);
        assert_lines(&recipe, &[line]);
        assert_eq!(command(&recipe), "serve");
        assert_eq!(recipe.warnings.is_empty(), lock.is_some());
    }
}

#[test]
fn the_one_program_of_a_go_module_is_built() {
    let module = ("go.mod", "module example.org/team/shop/v2\n\ngo 1.25\n");
    let root = plan(&[module, ("main.go", "// x\npackage main\n"), ("go.sum", "")]);
    assert_lines(
        &root,
        &[
            "COPY go.mod go.sum ./",
            "RUN go mod download",
            "COPY . .",
            "RUN CGO_ENABLED=0 go build -trimpath -ldflags=\"-s -w\" -o /out/shop .",
            "COPY --from=build /out/shop /usr/local/bin/shop",
            "CMD [\"/usr/local/bin/shop\"]",
        ],
    );
    let one = plan(&[
        module,
        ("cmd/api/x.go", "package main\n"),
        ("cmd/lib/x.go", "package lib\n"),
    ]);
    assert_eq!(command(&one), "/usr/local/bin/api");
    let named = [
        module,
        ("cmd/shop/x.go", "package main"),
        ("cmd/tool/x.go", "package main"),
    ];
    assert_eq!(command(&plan(&named)), "/usr/local/bin/shop");
    let several = Project::of(&[module, ("cmd/a/x.go", "package main"), ("cmd/b/x.go", "package main")]);
    assert!(several.refusal().contains("several programs below `cmd` (a, b)"));
}

#[test]
fn the_one_program_of_a_rust_package_is_built() {
    let package = (
        "Cargo.toml",
        "[package]\nname = \"shop\"\nversion = \"1.0.0\"\n[dependencies]\nx = \"1\"\n",
    );
    let recipe = plan(&[package, ("Cargo.lock", ""), ("src/main.rs", "")]);
    assert_lines(
        &recipe,
        &[
            "COPY Cargo.toml Cargo.lock ./",
            "COPY . .",
            "RUN cargo build --release --locked --bin shop",
            "CMD [\"/usr/local/bin/shop\"]",
        ],
    );
    let local = (
        "Cargo.toml",
        "[package]\nname = \"shop\"\n[dependencies]\nx = { path = \"x\" }\n",
    );
    let recipe = plan(&[local, ("Cargo.lock", ""), ("src/main.rs", "")]);
    assert!(!dockerfile(&recipe).contains("cargo fetch"));
    let several = Project::of(&[package, ("src/bin/a.rs", ""), ("src/bin/b/main.rs", "")]);
    assert!(
        several.refusal().contains("several programs (a, b)"),
        "{}",
        several.refusal()
    );
    let workspace = Project::of(&[("Cargo.toml", "[workspace]\nmembers = []\n")]);
    assert!(workspace.refusal().contains("workspace"));
}
