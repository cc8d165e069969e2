//! Which scanner suits which file, and the words that the keyword scanner needs.

use std::path::Path;

use super::Kind;

/// How a file is looked at.
#[derive(Debug, Clone, Copy)]
pub(in crate::search::code) enum Syntax {
    None,
    C,
    Go,
    Java(&'static Grammar),
    Script(&'static Grammar),
    Keywords(&'static Grammar),
}

/// Which plain assignments count as definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::search::code) enum Assignments {
    None,
    AtLeftEdge,
    Capitalized,
    Shell,
}

/// The words of a language that stand before a name.
#[derive(Debug)]
pub(in crate::search::code) struct Grammar {
    /// Words that may stand before the keyword.
    pub(super) modifiers: &'static [&'static [u8]],
    pub(super) keywords: &'static [(&'static [u8], Kind)],
    pub(super) assignments: Assignments,
    /// Whether `modifier name:` is a field.
    pub(super) has_fields: bool,
}

impl Syntax {
    /// Goes by the extension of the path, or by the name of the language where there is none that is known.
    pub(in crate::search::code) fn of(path: &Path, language: &str) -> Self {
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref().map_or(Self::None, Self::of_name) {
            Self::None => Self::of_name(&language.to_lowercase()),
            known => known,
        }
    }

    fn of_name(name: &str) -> Self {
        match name {
            "c" | "h" | "cc" | "cpp" | "cxx" | "hpp" | "hh" | "hxx" | "m" | "mm" | "cu" | "c++" => Self::C,
            "go" => Self::Go,
            "java" | "cs" | "c#" | "dart" => Self::Java(&JAVA),
            "kt" | "kts" | "kotlin" | "scala" | "swift" | "groovy" => Self::Keywords(&KOTLIN),
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" | "vue" | "svelte" | "javascript"
            | "typescript" => Self::Script(&SCRIPT),
            "rs" | "rust" => Self::Keywords(&RUST),
            "py" | "pyi" | "pyx" | "python" => Self::Keywords(&PYTHON),
            "rb" | "rake" | "ruby" | "ex" | "exs" | "cr" => Self::Keywords(&RUBY),
            "php" => Self::Keywords(&PHP),
            "sh" | "bash" | "zsh" | "ksh" | "shell" => Self::Keywords(&SHELL),
            "lua" | "pl" | "pm" | "perl" | "jl" | "zig" | "r" | "vim" | "fish" => Self::Keywords(&OTHER),
            "proto" | "sql" | "graphql" | "gql" | "thrift" => Self::Keywords(&SCHEMA),
            "hs" | "ml" | "mli" | "fs" | "elm" => Self::Keywords(&FUNCTIONAL),
            _ => Self::None,
        }
    }
}

const RUST: Grammar = Grammar {
    modifiers: &[b"pub", b"async", b"unsafe", b"extern", b"default", b"const", b"safe"],
    keywords: &[
        (b"fn", Kind::Function),
        (b"struct", Kind::Type),
        (b"enum", Kind::Type),
        (b"trait", Kind::Type),
        (b"type", Kind::Type),
        (b"union", Kind::Type),
        (b"mod", Kind::Module),
        (b"static", Kind::Constant),
        (b"macro_rules", Kind::Macro),
    ],
    assignments: Assignments::None,
    has_fields: true,
};

const PYTHON: Grammar = Grammar {
    modifiers: &[b"async", b"cpdef", b"cdef"],
    keywords: &[(b"def", Kind::Function), (b"class", Kind::Type)],
    assignments: Assignments::AtLeftEdge,
    has_fields: false,
};

const RUBY: Grammar = Grammar {
    modifiers: &[b"private", b"public", b"protected", b"module_function"],
    keywords: &[
        (b"def", Kind::Function),
        (b"defp", Kind::Function),
        (b"class", Kind::Type),
        (b"module", Kind::Module),
        (b"defmodule", Kind::Module),
        (b"defmacro", Kind::Macro),
    ],
    assignments: Assignments::Capitalized,
    has_fields: false,
};

const PHP: Grammar = Grammar {
    modifiers: &[
        b"public",
        b"private",
        b"protected",
        b"static",
        b"abstract",
        b"final",
        b"readonly",
    ],
    keywords: &[
        (b"function", Kind::Function),
        (b"class", Kind::Type),
        (b"interface", Kind::Type),
        (b"trait", Kind::Type),
        (b"enum", Kind::Type),
        (b"const", Kind::Constant),
        (b"namespace", Kind::Module),
    ],
    assignments: Assignments::None,
    has_fields: false,
};

const SHELL: Grammar = Grammar {
    modifiers: &[b"export", b"readonly"],
    keywords: &[(b"function", Kind::Function)],
    assignments: Assignments::Shell,
    has_fields: false,
};

const SCRIPT: Grammar = Grammar {
    modifiers: &[b"export", b"default", b"async", b"declare", b"abstract"],
    keywords: &[
        (b"function", Kind::Function),
        (b"class", Kind::Type),
        (b"interface", Kind::Type),
        (b"type", Kind::Type),
        (b"enum", Kind::Type),
        (b"namespace", Kind::Module),
        (b"const", Kind::Constant),
        (b"let", Kind::Constant),
        (b"var", Kind::Constant),
    ],
    assignments: Assignments::None,
    has_fields: false,
};

const JAVA: Grammar = Grammar {
    modifiers: &[
        b"public",
        b"private",
        b"protected",
        b"internal",
        b"static",
        b"final",
        b"abstract",
        b"sealed",
        b"partial",
        b"readonly",
        b"strictfp",
        b"unsafe",
        b"ref",
        b"base",
    ],
    keywords: &[
        (b"class", Kind::Type),
        (b"interface", Kind::Type),
        (b"enum", Kind::Type),
        (b"record", Kind::Type),
        (b"struct", Kind::Type),
        (b"mixin", Kind::Type),
        (b"namespace", Kind::Module),
        (b"package", Kind::Module),
    ],
    assignments: Assignments::None,
    has_fields: false,
};

const KOTLIN: Grammar = Grammar {
    modifiers: &[
        b"public",
        b"private",
        b"protected",
        b"internal",
        b"open",
        b"abstract",
        b"sealed",
        b"data",
        b"inline",
        b"override",
        b"suspend",
        b"final",
        b"static",
        b"lateinit",
        b"const",
        b"companion",
        b"case",
        b"implicit",
        b"lazy",
        b"fileprivate",
        b"mutating",
        b"indirect",
        b"value",
        b"operator",
        b"infix",
    ],
    keywords: &[
        (b"fun", Kind::Function),
        (b"func", Kind::Function),
        (b"def", Kind::Function),
        (b"class", Kind::Type),
        (b"interface", Kind::Type),
        (b"object", Kind::Type),
        (b"enum", Kind::Type),
        (b"struct", Kind::Type),
        (b"protocol", Kind::Type),
        (b"extension", Kind::Type),
        (b"trait", Kind::Type),
        (b"type", Kind::Type),
        (b"typealias", Kind::Type),
        (b"package", Kind::Module),
    ],
    assignments: Assignments::None,
    has_fields: false,
};

const OTHER: Grammar = Grammar {
    modifiers: &[b"local", b"pub", b"export", b"inline", b"extern", b"const", b"mutable"],
    keywords: &[
        (b"function", Kind::Function),
        (b"sub", Kind::Function),
        (b"fn", Kind::Function),
        (b"struct", Kind::Type),
        (b"package", Kind::Module),
        (b"module", Kind::Module),
        (b"macro", Kind::Macro),
    ],
    assignments: Assignments::None,
    has_fields: false,
};

const SCHEMA: Grammar = Grammar {
    modifiers: &[
        b"create", b"CREATE", b"or", b"OR", b"replace", b"REPLACE", b"if", b"IF", b"not", b"NOT", b"exists", b"EXISTS",
        b"extend",
    ],
    keywords: &[
        (b"message", Kind::Type),
        (b"service", Kind::Type),
        (b"enum", Kind::Type),
        (b"type", Kind::Type),
        (b"input", Kind::Type),
        (b"interface", Kind::Type),
        (b"struct", Kind::Type),
        (b"rpc", Kind::Method),
        (b"table", Kind::Type),
        (b"TABLE", Kind::Type),
        (b"view", Kind::Type),
        (b"VIEW", Kind::Type),
        (b"function", Kind::Function),
        (b"FUNCTION", Kind::Function),
        (b"package", Kind::Module),
    ],
    assignments: Assignments::None,
    has_fields: false,
};

const FUNCTIONAL: Grammar = Grammar {
    modifiers: &[b"rec", b"and", b"private", b"inline"],
    keywords: &[
        (b"data", Kind::Type),
        (b"newtype", Kind::Type),
        (b"type", Kind::Type),
        (b"class", Kind::Type),
        (b"let", Kind::Function),
        (b"module", Kind::Module),
    ],
    assignments: Assignments::None,
    has_fields: false,
};
