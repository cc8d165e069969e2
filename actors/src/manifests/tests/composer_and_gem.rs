//! PHP and Ruby.

use super::*;

#[test]
fn a_project_of_composer_is_read_with_its_lock_file() {
    let manifest = r#"{"name": "shop/site", "type": "project", "license": ["MIT", "GPL-3.0-only"], "description": "Shop",
        "require": {"php": ">=8.2", "ext-pdo_pgsql": "*", "laravel/framework": "^11.0", "predis/predis": "2.2.2"},
        "require-dev": {"phpunit/phpunit": "^11", "laravel/pint": "^1"}, "scripts": {"test": "phpunit", "many": ["a", "b"]}}"#;
    let lock = r#"{"packages": [{"name": "laravel/framework", "version": "v11.30.0", "dist": {"type": "zip"}},
        {"name": "predis/predis", "version": "v2.2.2"}, {"name": "symfony/console", "version": "v7.1.0"}],
        "packages-dev": [{"name": "phpunit/phpunit", "version": "11.4.0"}]}"#;
    let findings = project(&[("composer.json", manifest), ("composer.lock", lock)]);
    assert_eq!(
        lines(&findings),
        [
            "laravel/framework ^11.0 11.30.0 Runtime Registry",
            "laravel/pint ^1 - Dev Registry",
            "phpunit/phpunit ^11 11.4.0 Dev Registry",
            "predis/predis 2.2.2 2.2.2 Runtime Registry",
            "+symfony/console - 7.1.0 Runtime Registry",
        ]
    );
    assert_eq!(findings.unpinned, 1);
    assert_eq!(findings.drift.len(), 1);
    assert_eq!(
        findings.tech_stack(),
        ["php", "laravel", "postgresql", "redis", "phpunit", "pint"]
    );
    assert_eq!(findings.project_type, "web");
    assert_eq!(findings.licence.as_deref(), Some("MIT OR GPL-3.0-only"));
}

#[test]
fn a_project_of_bundler_is_read_with_its_lock_file() {
    let gemfile = "source \"https://rubygems.org\"\nruby \"3.3.0\"\n\ngem \"rails\", \"~> 7.1\", \">= 7.1.2\"\ngem 'pg'\n\
                   gem \"own\", path: \"../own\"\ngem \"forked\", github: \"a/forked\"\n# gem \"mysql2\"\n\
                   group :development, :test do\n  gem \"rspec-rails\"\n  if ENV[\"CI\"]\n    gem \"rubocop\", require: false\n  end\nend\n\
                   gem \"sidekiq\", \"= 7.3.0\"\ngem ENV[\"EXTRA\"]\n";
    let lock = "GIT\n  remote: https://github.com/a/forked.git\n  revision: abc\n  specs:\n    forked (0.1.0)\n\nPATH\n  remote: ../own\n  specs:\n    own (0.2.0)\n\n\
                GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.16.7-arm64-darwin)\n      racc (~> 1.4)\n    nokogiri (1.16.7-x86_64-linux)\n    \
                pg (1.5.9)\n    rails (7.1.5)\n      nokogiri (>= 1.8)\n    rspec-rails (7.1.0)\n    rubocop (1.69.0)\n    sidekiq (7.3.0)\n\n\
                PLATFORMS\n  x86_64-linux\n\nDEPENDENCIES\n  rails (~> 7.1)\n";
    let findings = project(&[("Gemfile", gemfile), ("Gemfile.lock", lock)]);
    assert_eq!(
        lines(&findings),
        [
            "forked - 0.1.0 Runtime Git",
            "own - 0.2.0 Runtime Path",
            "pg - 1.5.9 Runtime Registry",
            "rails ~>_7.1,_>=_7.1.2 7.1.5 Runtime Registry",
            "rspec-rails - 7.1.0 Dev Registry",
            "rubocop - 1.69.0 Dev Registry",
            "sidekiq =_7.3.0 7.3.0 Runtime Registry",
            "+nokogiri - 1.16.7 Runtime Registry",
        ]
    );
    assert_eq!((findings.unpinned, findings.drift.len()), (0, 0));
    assert_eq!(
        findings.tech_stack(),
        ["ruby", "rails", "sidekiq", "postgresql", "redis", "rspec", "rubocop"]
    );
    assert_eq!(findings.project_type, "web");
}
