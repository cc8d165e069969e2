//! Ruby gems.

use super::{
    Category::{Api, Cli, Database, Framework, Infra, Site, Tool, Web},
    Rule,
};

pub(super) const RULES: &[Rule] = &[
    ("activerecord", "active-record", Framework),
    ("bunny", "rabbitmq", Database),
    ("capybara", "capybara", Tool),
    ("chef", "chef", Infra),
    ("elasticsearch", "elasticsearch", Database),
    ("fastlane", "fastlane", Tool),
    ("grape", "grape", Api),
    ("hanami", "hanami", Web),
    ("hotwire-rails", "hotwire", Web),
    ("turbo-rails", "hotwire", Web),
    ("jekyll", "jekyll", Site),
    ("middleman", "middleman", Site),
    ("minitest", "minitest", Tool),
    ("mongoid", "mongodb", Database),
    ("mysql2", "mysql", Database),
    ("pg", "postgresql", Database),
    ("puma", "puma", Tool),
    ("puppet", "puppet", Infra),
    ("rails", "rails", Web),
    ("redis", "redis", Database),
    ("rspec", "rspec", Tool),
    ("rspec-rails", "rspec", Tool),
    ("rubocop", "rubocop", Tool),
    ("ruby-kafka", "kafka", Database),
    ("sequel", "sequel", Framework),
    ("sidekiq", "sidekiq", Framework),
    ("sidekiq", "redis", Database),
    ("sinatra", "sinatra", Api),
    ("sqlite3", "sqlite", Database),
    ("thor", "thor", Cli),
];
