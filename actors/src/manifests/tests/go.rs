//! Go.

use super::*;

const GO_MOD: &str = "module example.org/shop // the shop\n\ngo 1.22\n\nrequire github.com/gin-gonic/gin v1.10.0\n\nrequire (\n\t\
                      github.com/jackc/pgx/v5 v5.7.1\n\texample.org/own v0.0.0\n\tgolang.org/x/net v0.30.0 // indirect\n)\n\n\
                      replace example.org/own => ../own\n\nexclude github.com/a/b v1.0.0\n";

const GO_SUM: &str = "github.com/gin-gonic/gin v1.10.0 h1:a=\ngithub.com/gin-gonic/gin v1.10.0/go.mod h1:b=\n\
                      golang.org/x/net v0.29.0 h1:c=\ngolang.org/x/net v0.30.0 h1:c=\ngolang.org/x/sys v0.26.0 h1:d=\ngolang.org/x/text v0.1.0/go.mod h1:e=\n";

#[test]
fn a_module_is_read_with_its_sums() {
    let findings = project(&[("go.mod", GO_MOD), ("go.sum", GO_SUM), ("cmd/shop/main.go", "")]);
    assert_eq!(
        lines(&findings),
        [
            "example.org/own v0.0.0 v0.0.0 Runtime Path",
            "github.com/gin-gonic/gin v1.10.0 v1.10.0 Runtime Registry",
            "github.com/jackc/pgx/v5 v5.7.1 v5.7.1 Runtime Registry",
            "+golang.org/x/net v0.30.0 v0.30.0 Runtime Registry",
            "+golang.org/x/sys - v0.26.0 Runtime Registry",
        ]
    );
    let gap = Gap::NotLocked {
        name: "github.com/jackc/pgx/v5".to_owned(),
    };
    assert_eq!(
        findings.drift,
        [Drift {
            manifest: "go.mod".to_owned(),
            ecosystem: Ecosystem::Go,
            gap
        }]
    );
    assert_eq!(findings.unpinned, 0);
    assert_eq!(findings.tech_stack(), ["go", "gin", "postgresql"]);
    assert_eq!(findings.project_type, "api");
}

#[test]
fn a_module_is_a_program_or_a_library() {
    let bare = "module example.org/x\n\ngo 1.22\n\nrequire github.com/stretchr/testify v1.9.0\n";
    assert_eq!(project(&[("go.mod", bare)]).project_type, "library");
    assert_eq!(project(&[("go.mod", bare), ("main.go", "")]).project_type, "cli");
}

#[test]
fn a_workspace_names_its_modules() {
    let module = |name: &str| format!("module example.org/{name}\n\ngo 1.22\n");
    let (one, other) = (module("a"), module("b"));
    let findings = project(&[
        ("go.work", "go 1.22\n\nuse (\n\t./a\n\t./tools/b\n)\n"),
        ("a/go.mod", &one),
        ("tools/b/go.mod", &other),
        ("c/go.mod", &module("c")),
    ]);
    assert_eq!(findings.workspaces[0].members, ["a", "tools/b"]);
    assert_eq!(findings.project_type, "monorepo");
}
