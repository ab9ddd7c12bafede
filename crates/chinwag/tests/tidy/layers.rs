//! Layering, read from the manifests: arrows go down only, and the pure crates depend on no runtime.

use toml::{Table, Value};

/// A crate, and what it may depend on: crates of ours, and others (`None`: any).
struct Layer {
    name: &'static str,
    ours: &'static [&'static str],
    others: Option<&'static [&'static str]>,
}

const PURE_OTHERS: Option<&[&str]> = Some(&[
    "ipnet",
    "precis-profiles",
    "serde",
    "serde_json",
    "sha2",
    "smallvec",
    "thiserror",
    "unicode-normalization",
    "unicode-security",
    "zeroize",
]);

const LAYERS: [Layer; 16] = [
    Layer { name: "wire", ours: &[], others: PURE_OTHERS },
    Layer { name: "log", ours: &[], others: PURE_OTHERS },
    Layer { name: "core", ours: &["log", "wire"], others: PURE_OTHERS },
    Layer { name: "node", ours: &["core", "log", "wire"], others: PURE_OTHERS },
    Layer { name: "client", ours: &["wire"], others: PURE_OTHERS },
    Layer { name: "proof", ours: &["core", "wire"], others: None },
    Layer { name: "archive", ours: &["core", "log", "wire"], others: None },
    Layer { name: "files", ours: &["archive", "core", "log", "wire"], others: None },
    Layer { name: "ssh", ours: &["pipes", "tui", "client", "core", "wire"], others: None },
    Layer { name: "web", ours: &[], others: Some(&[]) },
    Layer {
        name: "server",
        ours: &["ssh", "web", "files", "node", "proof", "archive", "core", "log", "wire"],
        others: None,
    },
    Layer { name: "tui", ours: &["client", "wire"], others: None },
    Layer { name: "pipes", ours: &["client", "wire"], others: None },
    Layer {
        name: "chinwag",
        ours: &[
            "server", "pipes", "tui", "client", "files", "proof", "node", "archive", "core", "log", "wire",
        ],
        others: None,
    },
    Layer {
        name: "testkit",
        ours: &["server", "client", "proof", "node", "archive", "core", "log", "wire"],
        others: None,
    },
    Layer {
        name: "bench",
        ours: &["server", "client", "proof", "node", "archive", "core", "log", "wire"],
        others: None,
    },
];

/// Offences of one manifest. Dependencies of tests are free.
pub fn check(path: &str, text: &str) -> Vec<String> {
    let manifest: Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![format!("{path}: is not readable: {error}")],
    };
    let package =
        manifest.get("package").and_then(|p| p.get("name")).and_then(Value::as_str).unwrap_or_default();
    let name = ours(package).unwrap_or_default();
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
        return vec![format!(
            "{path}: `{package}` has no place in the layers: give it one in tests/tidy/layers.rs"
        )];
    };
    let mut found = Vec::new();
    for dependency in dependencies(&manifest) {
        let allowed = match ours(&dependency) {
            Some(name) => layer.ours.contains(&name),
            None => layer.others.is_none_or(|others| others.contains(&dependency.as_str())),
        };
        if !allowed {
            found.push(format!(
                "{path}: `{package}` may not depend on `{dependency}`: arrows go down, pure crates stay pure"
            ));
        }
    }
    found
}

fn ours(package: &str) -> Option<&str> {
    if package == "chinwag" { Some(package) } else { package.strip_prefix("chinwag-") }
}

/// What is compiled into the crate, for any target and by its real name.
fn dependencies(manifest: &Table) -> Vec<String> {
    let targets = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(|t| t.values())
        .filter_map(Value::as_table);
    let mut found = Vec::new();
    for table in std::iter::once(manifest).chain(targets) {
        for section in ["dependencies", "build-dependencies"] {
            let Some(section) = table.get(section).and_then(Value::as_table) else { continue };
            found.extend(section.iter().map(|(name, value)| {
                value.get("package").and_then(Value::as_str).unwrap_or(name).to_owned()
            }));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(package: &str, section: &str, dependency: &str) -> String {
        format!("[package]\nname = \"{package}\"\n[{section}]\n{dependency}\n")
    }

    #[test]
    fn arrows_that_go_up_and_runtimes_in_pure_crates_are_found() {
        for (package, section, dependency) in [
            ("chinwag-wire", "dependencies", "chinwag-core.workspace = true"),
            ("chinwag-core", "dependencies", "chinwag-node = { path = \"../node\" }"),
            ("chinwag-archive", "dependencies", "chinwag-server.workspace = true"),
            ("chinwag-server", "dependencies", "chinwag-testkit.workspace = true"),
            ("chinwag-node", "dependencies", "tokio.workspace = true"),
            ("chinwag-core", "dependencies", "db = { package = \"rusqlite\", version = \"1\" }"),
            ("chinwag-log", "target.'cfg(unix)'.dependencies", "libc = \"0.2\""),
            ("chinwag-wire", "build-dependencies", "mio = \"1\""),
            ("chinwag-web", "dependencies", "chinwag-wire.workspace = true"),
            ("chinwag-web", "build-dependencies", "brotli = \"8\""),
            ("chinwag-utils", "dependencies", ""),
        ] {
            let text = manifest(package, section, dependency);
            assert_eq!(check("Cargo.toml", &text).len(), 1, "for {text}");
        }
    }

    #[test]
    fn arrows_that_go_down_and_tests_are_free() {
        for (package, section, dependency) in [
            ("chinwag-core", "dependencies", "chinwag-wire.workspace = true"),
            ("chinwag-core", "dev-dependencies", "chinwag-testkit.workspace = true"),
            ("chinwag-server", "dependencies", "tokio.workspace = true"),
            ("chinwag-node", "dependencies", "smallvec.workspace = true"),
        ] {
            let text = manifest(package, section, dependency);
            assert_eq!(check("Cargo.toml", &text), Vec::<String>::new(), "for {text}");
        }
    }
}
