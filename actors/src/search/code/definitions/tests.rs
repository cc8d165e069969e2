use std::path::Path;

use super::*;

fn names(path: &str, content: &str) -> Vec<(String, Kind)> {
    scan(Syntax::of(Path::new(path), ""), content.as_bytes())
        .into_iter()
        .map(|found| {
            let line = content.lines().nth(found.line as usize).unwrap();
            let name = String::from_utf8(found.name.to_vec()).unwrap();
            assert!(line[usize::from(found.column)..].starts_with(&name), "{line}");
            (name, found.kind)
        })
        .collect()
}

fn assert_names(path: &str, content: &str, expected: &[(&str, Kind)]) {
    let expected: Vec<_> = expected
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), *kind))
        .collect();
    assert_eq!(names(path, content), expected, "{path}");
}

#[test]
fn rust() {
    let content = "pub(crate) struct Tree {\n    pub height: u32,\n}\n\nimpl Tree {\n    pub const fn new() -> Self {\n        let x = 1;\n    }\n}\nconst MAX: u32 = 1;\npub unsafe extern \"C\" fn call() {}\nmacro_rules! list {\nstatic mut COUNT: u32 = 0;\nuse std::fmt;\n// fn no() {}\n";
    assert_names(
        "a.rs",
        content,
        &[
            ("Tree", Kind::Type),
            ("height", Kind::Field),
            ("new", Kind::Method),
            ("MAX", Kind::Constant),
            ("call", Kind::Function),
            ("list", Kind::Macro),
            ("COUNT", Kind::Constant),
        ],
    );
}

#[test]
fn python_ruby_and_shell() {
    let python =
        "LIMIT = 3\nclass User(Base):\n    async def save(self):\n        x = 1\ndef main():\n    return x == 3\n";
    assert_names(
        "a.py",
        python,
        &[
            ("LIMIT", Kind::Constant),
            ("User", Kind::Type),
            ("save", Kind::Method),
            ("main", Kind::Function),
        ],
    );
    let ruby = "module Shop\n  class Cart::Item\n    MAX = 3\n    def self.find(id)\n";
    assert_names(
        "a.rb",
        ruby,
        &[
            ("Shop", Kind::Module),
            ("Item", Kind::Type),
            ("MAX", Kind::Constant),
            ("find", Kind::Method),
        ],
    );
    assert_names(
        "a.sh",
        "NAME=x\nfunction start {\nstop() {\n  stop now\n}\n",
        &[
            ("NAME", Kind::Constant),
            ("start", Kind::Function),
            ("stop", Kind::Function),
        ],
    );
}

#[test]
fn go_with_fields_and_groups() {
    let content = "package store\n\nconst (\n\tMaxSize = 3\n\tMinSize\n)\n\ntype Config struct {\n\tPath, Name string\n\tio.Reader\n\tport int // of it\n}\n\ntype Opener interface {\n\tOpen(name string) error\n}\n\nfunc (c *Config) Load(ctx context.Context) error {\n\tx := 1\n}\n\nfunc Run() {\n";
    assert_names(
        "a.go",
        content,
        &[
            ("store", Kind::Module),
            ("MaxSize", Kind::Constant),
            ("MinSize", Kind::Constant),
            ("Config", Kind::Type),
            ("Path", Kind::Field),
            ("port", Kind::Field),
            ("Opener", Kind::Type),
            ("Open", Kind::Method),
            ("Load", Kind::Method),
            ("Run", Kind::Function),
        ],
    );
}

#[test]
fn c_and_cpp() {
    let content = "#define MAX 3\nstruct node {\n\tint x;\n};\nstruct node *find(struct node *at,\n\t\t  int x)\n{\n\tif (x) {\n\t}\n}\nint declared(int x,\n\tint y);\ntypedef struct {\n\tint y;\n} point_t;\ntypedef unsigned int word_t;\nstatic const char *names[] = {\nMODULE_LICENSE(\"GPL\");\nclass Shop : public Base {\n  int size() const { return 1; }\n  return size(x);\n};\nvoid Shop::open(int x) {\n";
    assert_names(
        "a.cpp",
        content,
        &[
            ("MAX", Kind::Macro),
            ("node", Kind::Type),
            ("find", Kind::Function),
            ("point_t", Kind::Type),
            ("word_t", Kind::Type),
            ("names", Kind::Constant),
            ("Shop", Kind::Type),
            ("size", Kind::Method),
            ("open", Kind::Function),
        ],
    );
}

#[test]
fn scripts() {
    let content = "export default class Shop extends Base {\n  async open(id) {\n    const x = 1;\n    if (x) {\n    it('opens', () => {\n    const inner = async (y) => y;\n  }\n}\nexport const LIMIT = 3;\nexports.find = function (id) {\nexport interface Item {\nfunction* walk() {\nconst add = (a, b) => a + b;\n";
    assert_names(
        "a.ts",
        content,
        &[
            ("Shop", Kind::Type),
            ("open", Kind::Method),
            ("inner", Kind::Function),
            ("LIMIT", Kind::Constant),
            ("find", Kind::Function),
            ("Item", Kind::Type),
            ("walk", Kind::Function),
            ("add", Kind::Function),
        ],
    );
}

#[test]
fn java() {
    let content = "package a.b;\npublic final class Shop {\n    private static final int MAX_SIZE = 3;\n    private String name;\n    public List<Item> findAll(int id) throws Error {\n        return find(id);\n        for (Item item : items) {\n        foo.bar(x);\n    }\n    protected abstract void close();\n}\n";
    assert_names(
        "a.java",
        content,
        &[
            ("b", Kind::Module),
            ("Shop", Kind::Type),
            ("MAX_SIZE", Kind::Constant),
            ("name", Kind::Field),
            ("findAll", Kind::Method),
            ("close", Kind::Method),
        ],
    );
}

#[test]
fn floods_of_macros_are_cut_short() {
    let content: String = (0..5000)
        .map(|number| format!("#define REGISTER_{number} {number}\n"))
        .collect();
    assert_eq!(names("a.h", &content).len(), MAX_MACROS_PER_FILE);
}
