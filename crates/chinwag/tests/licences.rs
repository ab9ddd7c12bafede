//! Every crate that can become part of chinwag has a licence that `deny.toml` allows, none is banned there, and none comes from
//! outside of the registry. For machines without cargo-deny.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use toml::Table;

/// What `deny.toml` says.
struct Rules {
    allowed: Vec<String>,
    /// (crate, licence) allowed by name.
    exceptions: Vec<(String, String)>,
    banned: Vec<String>,
}

impl Rules {
    fn parse(text: &str) -> Rules {
        let table: Table = text.parse().expect("deny.toml is TOML");
        let strings = |value: &toml::Value| -> Vec<String> {
            let list = value.as_array().expect("a list");
            list.iter().map(|entry| entry.as_str().expect("a string").to_owned()).collect()
        };
        let exceptions =
            table["licenses"]["exceptions"].as_array().expect("a list").iter().flat_map(|entry| {
                let name = entry["crate"].as_str().expect("a crate's name").to_owned();
                strings(&entry["allow"]).into_iter().map(move |licence| (name.clone(), licence))
            });
        let banned = table["bans"]["deny"].as_array().expect("a list").iter();
        Rules {
            allowed: strings(&table["licenses"]["allow"]),
            exceptions: exceptions.collect(),
            banned: banned.map(|entry| entry["crate"].as_str().expect("a crate's name").to_owned()).collect(),
        }
    }

    fn check(&self, name: &str, licence: &str, source: &str) -> Vec<String> {
        let mut found = Vec::new();
        let allowed = |one: &str| {
            let by_name = self.exceptions.iter().any(|(crate_, licence)| crate_ == name && licence == one);
            by_name || self.allowed.iter().any(|licence| licence == one)
        };
        if !satisfied(licence, &allowed) {
            found.push(format!("{name}: licence {licence:?} is not allowed"));
        }
        if self.banned.iter().any(|banned| banned == name) {
            found.push(format!("{name}: is banned in deny.toml"));
        }
        if source.starts_with("git+") {
            found.push(format!("{name}: comes from {source}"));
        }
        found
    }
}

/// Whether an SPDX expression holds. `/` is the old way to write `OR`.
fn satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let holds = either(&words, &mut at, allowed);
    holds && at == words.len()
}

fn either(words: &[&str], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut holds = both(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        holds |= both(words, at, allowed);
    }
    holds
}

fn both(words: &[&str], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut holds = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        holds &= one(words, at, allowed);
    }
    holds
}

fn one(words: &[&str], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> bool {
    let Some(&word) = words.get(*at) else { return false };
    *at += 1;
    if word == "(" {
        let holds = either(words, at, allowed);
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return holds && closed;
    }
    if words.get(*at) == Some(&"WITH") {
        let with = format!("{word} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
        return allowed(&with);
    }
    allowed(word)
}

#[test]
#[ignore = "asks cargo for the licences of all packages, which may have to download some; .ci/run runs it"]
fn licences_and_bans_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let rules = Rules::parse(&std::fs::read_to_string(root.join("deny.toml")).expect("deny.toml is there"));
    let ask = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO")).args(arguments).current_dir(&root).output();
        let output = output.expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let all = ["--locked", "--all-features"];
    // The lock file and the metadata also name crates that a feature nobody has would bring; the tree does not.
    let tree = ["tree", "--workspace", "--target=all", "--prefix=none", "--no-dedupe", "--format={p}"];
    let tree = String::from_utf8(ask(&[&tree[..], &all].concat())).expect("cargo answers text");
    let used: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    let metadata = ask(&[&["metadata", "--format-version=1"][..], &all].concat());
    let metadata: Value = serde_json::from_slice(&metadata).expect("cargo answers JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    assert!(packages.len() > 20, "the packages were not found");
    let text = |package: &Value, field: &str| package[field].as_str().unwrap_or_default().to_owned();
    let found: Vec<String> = packages
        .iter()
        .filter(|p| used.contains(text(p, "name").as_str()))
        .flat_map(|p| rules.check(&text(p, "name"), &text(p, "license"), &text(p, "source")))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn offenders_are_found() {
    let text = "[licenses]\nallow = [\"MIT\", \"Apache-2.0\", \"ISC\"]\n\
        exceptions = [{ crate = \"named\", allow = [\"MPL-2.0\"] }]\n[bans]\ndeny = [{ crate = \"ring\" }]\n";
    let rules = Rules::parse(text);
    for (name, licence, source) in [
        ("a", "GPL-3.0", ""),
        ("a", "MIT AND GPL-3.0", ""),
        ("a", "(MIT OR ISC) AND GPL-3.0", ""),
        ("a", "Apache-2.0 WITH LLVM-exception", ""),
        ("a", "MPL-2.0", ""),
        ("a", "", ""),
        ("a", "MIT ISC", ""),
        ("ring", "ISC", ""),
        ("a", "MIT", "git+https://example.org/a"),
    ] {
        assert_eq!(rules.check(name, licence, source).len(), 1, "{name} {licence:?} {source}");
    }
    for (name, licence) in [
        ("a", "MIT"),
        ("a", "MIT OR GPL-3.0"),
        ("a", "MIT/GPL-3.0"),
        ("a", "GPL-3.0 OR (MIT AND ISC)"),
        ("named", "MPL-2.0"),
    ] {
        assert_eq!(rules.check(name, licence, "registry+x"), Vec::<String>::new(), "{name} {licence}");
    }
}
