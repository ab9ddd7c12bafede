//! The manual of the IRC door is made from the code's own tables, and what it lists has a conversation that cites
//! the specification.
//!
//! `CHINWAG_WRITE=1 cargo test -p chinwag --test docs` writes it anew.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use chinwag_wire::caps::{Cap, Status};
use chinwag_wire::numeric::TABLE;
use chinwag_wire::verbs::{Verb, When};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const INTRODUCTION: &str = "\
# The IRC door

This page is made from the tables of the code (`CHINWAG_WRITE=1 cargo test -p chinwag --test docs`); a test holds them
together. Each capability has at least one conversation in `conversations/` that cites its specification.

";

fn manual() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("## Capabilities\n\n| capability | status | specification | since |\n|---|---|---|---|\n");
    for cap in Cap::ALL {
        let status = match cap.status() {
            Status::Ratified => "ratified",
            Status::Draft => "draft",
            Status::Vendor => "somebody's own",
        };
        let (name, spec, since) = (cap.name(), cap.spec(), cap.since());
        writeln!(text, "| `{name}` | {status} | <{spec}> | {since} |").expect("a string takes it");
    }
    text.push_str("\n## Commands\n\n| command | what it does | when |\n|---|---|---|\n");
    let mut verbs: Vec<Verb> = Verb::ALL.to_vec();
    verbs.sort_by_key(|verb| verb.name());
    for verb in verbs {
        let when = match verb.when() {
            When::Always => "always",
            When::Before => "before registration",
            When::Registered => "after registration",
        };
        // A vertical bar would end the column.
        let syntax = format!("{} {}", verb.name(), verb.syntax()).trim_end().replace('|', "\\|");
        writeln!(text, "| `{syntax}` | {} | {when} |", verb.what()).expect("a string takes it");
    }
    text.push_str("\n## Numerics\n\n| number | name | parameters | text |\n|---|---|---|---|\n");
    for row in TABLE {
        let params = if row.params.is_empty() { String::new() } else { format!("`{}`", row.params) };
        let params = params.replace('|', "\\|");
        writeln!(text, "| {:03} | {} | {params} | {} |", row.numeric.0, row.name, row.text)
            .expect("a string takes it");
    }
    text
}

#[test]
fn the_manual_of_the_irc_door_is_what_the_tables_say() {
    let path = root().join("docs/irc.md");
    let made = manual();
    if std::env::var_os("CHINWAG_WRITE").is_some() {
        fs::write(&path, &made).expect("the manual can be written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/irc.md is not what the tables say: CHINWAG_WRITE=1 cargo test -p chinwag --test docs"
    );
}

const BOUNDS: &str = "\
# What a stranger can send, and its bound

This page is made from the constants and defaults of the code (`CHINWAG_WRITE=1 cargo test -p chinwag --test docs`); a test
holds them together. The keys are those of the configuration (`chinwag config`), whose defaults are shown. What is refused is
counted (`[metrics]`, `STATS r`); what waits is not lost.

";

fn bounds() -> String {
    let mut text = BOUNDS.to_owned();
    for (title, limits) in chinwag_server::limits::table(&chinwag_server::Config::default()) {
        write!(text, "## {title}\n\n| what | bound | key | beyond it |\n|---|---|---|---|\n")
            .expect("a string takes it");
        for limit in limits {
            let key =
                limit.key.map(|keys| keys.split(", ").map(|key| format!("`{key}`")).collect::<Vec<_>>());
            let key = key.map_or_else(String::new, |keys| keys.join(", "));
            writeln!(text, "| {} | {} | {key} | {} |", limit.what, limit.value, limit.beyond)
                .expect("a string takes it");
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[test]
fn the_page_of_limits_is_what_the_code_says() {
    let path = root().join("docs/limits.md");
    let made = bounds();
    if std::env::var_os("CHINWAG_WRITE").is_some() {
        fs::write(&path, &made).expect("the page can be written");
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/limits.md is not what the code says: CHINWAG_WRITE=1 cargo test -p chinwag --test docs"
    );
}

#[test]
fn every_key_of_the_page_of_limits_is_one_of_the_configuration() {
    let file: toml::Table = chinwag_server::config::DEFAULT_TOML.parse().expect("it is TOML");
    for (_, limits) in chinwag_server::limits::table(&chinwag_server::Config::default()) {
        for key in limits.iter().filter_map(|limit| limit.key).flat_map(|keys| keys.split(", ")) {
            let (section, name) = key.split_once('.').expect("a section and a name");
            assert!(file.get(section).is_some_and(|section| section.get(name).is_some()), "{key}");
        }
    }
}

#[test]
fn every_capability_has_a_conversation_that_cites_its_specification() {
    let mut cited = String::new();
    for file in fs::read_dir(root().join("conversations")).expect("there are conversations") {
        cited += &fs::read_to_string(file.expect("a file").path()).expect("text");
    }
    // What others made up has no page of ours to cite; sts is offered only where a duration is configured.
    let shown = |cap: &&Cap| {
        cited.contains(cap.spec()) || (cap.status() == Status::Vendor && cited.contains(cap.name()))
    };
    let silent: Vec<&str> =
        Cap::ALL.iter().filter(|cap| **cap != Cap::Sts && !shown(cap)).map(|cap| cap.name()).collect();
    assert!(silent.is_empty(), "no conversation cites the specification of: {}", silent.join(", "));
}
