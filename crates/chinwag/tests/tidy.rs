//! The house rules that a compiler does not hold: small functions and files, a first paragraph in every file,
//! arrows between crates that go down only, no clock and no socket in the pure crates, nothing unfinished.
//!
//! A new rule is a function in `tidy/rules.rs` (one file at a time) or `tidy/layers.rs` (manifests), with a
//! test beside it that it finds its offender.

#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace's folder is there")
}

/// Every file of ours whose name ends in `ending`, with its path from the workspace's folder.
fn files(ending: &str) -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["crates", "testkit", "benches", "fuzz"].iter().map(|name| root.join(name)).collect();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("a folder of ours can be read").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && name != "node_modules" && !name.starts_with('.') {
                folders.push(path);
            } else if path.is_file() && name.ends_with(ending) {
                let text = fs::read_to_string(&path).expect("a source of ours is readable text");
                let relative = path.strip_prefix(&root).expect("it was found below the root");
                found.push((relative.to_string_lossy().replace('\\', "/"), text));
            }
        }
    }
    found.sort();
    found
}

fn report(offences: &[String]) {
    assert!(
        offences.is_empty(),
        "{} offences against the house rules:\n{}",
        offences.len(),
        offences.join("\n")
    );
}

#[test]
fn sources_are_tidy() {
    let sources = files(".rs");
    assert!(sources.len() > 10, "the sources were not found");
    let check = |(path, text): &(String, String)| rules::check(rules::Place { path }, text);
    report(&sources.iter().flat_map(check).collect::<Vec<_>>());
}

#[test]
fn arrows_go_down_only() {
    let manifests: Vec<_> =
        files("Cargo.toml").into_iter().filter(|(path, _)| !path.starts_with("fuzz/")).collect();
    assert!(manifests.len() >= 9, "the manifests were not found");
    report(&manifests.iter().flat_map(|(path, text)| layers::check(path, text)).collect::<Vec<_>>());
}
