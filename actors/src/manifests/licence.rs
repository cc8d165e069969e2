//! Licences as SPDX expressions, from manifests and from the opening of licence texts.

/// Long names, in lower case without punctuation, and what they are called in SPDX.
const LONG_NAMES: &[(&str, &str)] = &[
    ("mit license", "MIT"),
    ("the mit license", "MIT"),
    ("expat", "MIT"),
    ("apache 2", "Apache-2.0"),
    ("apache 2.0", "Apache-2.0"),
    ("apache2", "Apache-2.0"),
    ("apache license 2.0", "Apache-2.0"),
    ("apache license version 2.0", "Apache-2.0"),
    ("the apache license version 2.0", "Apache-2.0"),
    ("the apache software license version 2.0", "Apache-2.0"),
    ("apache software license", "Apache-2.0"),
    ("bsd license", "BSD-3-Clause"),
    ("bsd", "BSD-3-Clause"),
    ("new bsd", "BSD-3-Clause"),
    ("bsd 3-clause", "BSD-3-Clause"),
    ("bsd 3-clause license", "BSD-3-Clause"),
    ("bsd 2-clause license", "BSD-2-Clause"),
    ("isc license", "ISC"),
    ("mozilla public license 2.0", "MPL-2.0"),
    ("mozilla public license version 2.0", "MPL-2.0"),
    ("gplv2", "GPL-2.0-only"),
    ("gplv3", "GPL-3.0-only"),
    ("gnu general public license v3.0", "GPL-3.0-only"),
    ("gnu general public license version 3", "GPL-3.0-only"),
    ("agplv3", "AGPL-3.0-only"),
    ("lgplv3", "LGPL-3.0-only"),
    ("eclipse public license 2.0", "EPL-2.0"),
    ("eclipse public license v2.0", "EPL-2.0"),
    ("the unlicense", "Unlicense"),
];

/// What the classifiers of Python packages are called in SPDX; those that leave the version open are left out.
const CLASSIFIERS: &[(&str, &str)] = &[
    ("MIT License", "MIT"),
    ("Apache Software License", "Apache-2.0"),
    ("BSD License", "BSD-3-Clause"),
    ("ISC License (ISCL)", "ISC"),
    ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
    ("GNU General Public License v2 (GPLv2)", "GPL-2.0-only"),
    ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
    ("GNU General Public License v3 or later (GPLv3+)", "GPL-3.0-or-later"),
    ("GNU Affero General Public License v3", "AGPL-3.0-only"),
    ("GNU Lesser General Public License v3 (LGPLv3)", "LGPL-3.0-only"),
    ("The Unlicense (Unlicense)", "Unlicense"),
];

/// Phrases that all have to be in a licence text, in lower case with single spaces; the first match counts, so the
/// narrower licence stands before the wider one.
const TEXTS: &[(&[&str], &str)] = &[
    (&["gnu affero general public license", "version 3"], "AGPL-3.0-only"),
    (&["gnu lesser general public license", "version 3"], "LGPL-3.0-only"),
    (&["gnu lesser general public license", "version 2.1"], "LGPL-2.1-only"),
    (&["gnu general public license", "version 3"], "GPL-3.0-only"),
    (&["gnu general public license", "version 2"], "GPL-2.0-only"),
    (&["mozilla public license", "2.0"], "MPL-2.0"),
    (&["eclipse public license", "v 2.0"], "EPL-2.0"),
    (&["apache license", "version 2.0"], "Apache-2.0"),
    (&["boost software license", "version 1.0"], "BSL-1.0"),
    (&["cc0 1.0 universal"], "CC0-1.0"),
    (
        &["this is free and unencumbered software released into the public domain"],
        "Unlicense",
    ),
    (
        &["redistribution and use in source and binary forms", "neither the name"],
        "BSD-3-Clause",
    ),
    (&["redistribution and use in source and binary forms"], "BSD-2-Clause"),
    (
        &[
            "permission to use, copy, modify, and/or distribute this software",
            "above copyright notice",
        ],
        "ISC",
    ),
    (
        &[
            "permission to use, copy, modify, and distribute this software",
            "above copyright notice",
        ],
        "ISC",
    ),
    (
        &["permission is hereby granted, free of charge, to any person obtaining a copy"],
        "MIT",
    ),
    (
        &["this software is provided 'as-is'", "altered source versions"],
        "Zlib",
    ),
];

/// A licence names itself in its opening; the texts that others quote come later.
const OPENING_CHARS: usize = 2_500;

/// Tells a licence file by its name.
pub(super) fn is_licence_file(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    let stem = ["LICENSE", "LICENCE", "COPYING", "UNLICENSE"]
        .into_iter()
        .find_map(|word| upper.strip_prefix(word));
    stem.is_some_and(|rest| {
        rest.is_empty()
            || rest.starts_with(['-', '_'])
            || matches!(rest, ".TXT" | ".MD" | ".RST" | ".MIT" | ".APACHE" | ".BSD" | ".LESSER")
    })
}

/// Reads what a manifest says; none when that is no licence but, say, the name of a file.
pub(super) fn expression(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let key = trimmed.to_ascii_lowercase().replace([',', '(', ')'], "");
    if let Some((_, id)) = LONG_NAMES.iter().find(|(name, _)| *name == key.trim_end_matches('.')) {
        return Some((*id).to_owned());
    }
    // Cargo once wrote the choice between two licences as a slash.
    let spaced = trimmed.replace('/', " OR ");
    is_expression(&spaced).then_some(spaced)
}

fn is_expression(text: &str) -> bool {
    const JOINTS: &[&str] = &["OR", "AND", "WITH"];
    let bare = text.replace(['(', ')'], " ");
    let is_id = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphanumeric())
            && word.len() <= 64
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'))
    };
    let words: Vec<&str> = bare.split_whitespace().collect();
    let is_fine = |(index, word): (usize, &&str)| {
        if index % 2 == 1 {
            JOINTS.contains(word)
        } else {
            is_id(word) && !JOINTS.contains(word)
        }
    };
    words.len() % 2 == 1
        && words.iter().enumerate().all(is_fine)
        && !matches!(bare.trim(), "UNLICENSED" | "proprietary" | "Proprietary")
}

/// Reads the classifiers of a Python package.
pub(super) fn from_classifiers(classifiers: &[String]) -> Option<String> {
    let names = classifiers.iter().filter(|text| text.starts_with("License ::"));
    let mut last_parts = names.filter_map(|text| text.rsplit(" :: ").next());
    last_parts.find_map(|name| {
        CLASSIFIERS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, id)| (*id).to_owned())
    })
}

/// Recognises a licence text by its opening.
pub(super) fn from_text(content: &str) -> Option<&'static str> {
    let opening: String = content.chars().take(OPENING_CHARS).collect();
    let normal = opening.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let is_match = |phrases: &&[&str]| phrases.iter().all(|phrase| normal.contains(phrase));
    TEXTS.iter().find(|(phrases, _)| is_match(phrases)).map(|(_, id)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_manifests_say_becomes_spdx() {
        for (text, licence) in [
            ("MIT", Some("MIT")),
            ("MIT/Apache-2.0", Some("MIT OR Apache-2.0")),
            ("(MIT OR GPL-3.0-or-later)", Some("(MIT OR GPL-3.0-or-later)")),
            ("Apache License, Version 2.0", Some("Apache-2.0")),
            (
                "GPL-2.0-only WITH Classpath-exception-2.0",
                Some("GPL-2.0-only WITH Classpath-exception-2.0"),
            ),
            ("SEE LICENSE IN file.txt", None),
            ("UNLICENSED", None),
            ("", None),
        ] {
            assert_eq!(expression(text).as_deref(), licence, "{text}");
        }
    }

    #[test]
    fn texts_are_recognised_by_their_opening() {
        for (text, licence) in [
            (
                "Copyright (c) X\n\nPermission is hereby granted, free\nof charge, to any person obtaining a copy of",
                Some("MIT"),
            ),
            (
                "                Apache License\n          Version 2.0, January 2004",
                Some("Apache-2.0"),
            ),
            (
                "GNU GENERAL PUBLIC LICENSE\n Version 3, 29 June 2007",
                Some("GPL-3.0-only"),
            ),
            ("GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3", Some("AGPL-3.0-only")),
            ("All rights reserved.", None),
        ] {
            assert_eq!(from_text(text), licence, "{text}");
        }
        assert!(is_licence_file("LICENSE-MIT") && is_licence_file("license.txt") && is_licence_file("COPYING"));
        assert!(!is_licence_file("license.rs") && !is_licence_file("LICENSES.json"));
    }
}
