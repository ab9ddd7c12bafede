//! Builds the web client with Node and makes a table of its files, or of one page that says why there is none.
//!
//! `CHINWAG_WEB=off` does not try, `CHINWAG_WEB=require` fails where the client cannot be built. Everything else only
//! costs a warning: the server needs no Node.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The oldest Node that can build it.
const NODE: (u32, u32) = (20, 19);

/// What the client is made from.
const SOURCES: [&str; 9] = [
    "client",
    "public",
    "index.html",
    "missing.html",
    "package.json",
    "package-lock.json",
    "icons.js",
    "vite.config.js",
    "svelte.config.js",
];

fn main() {
    // Naming a file that is not there would make cargo run this every time.
    for source in SOURCES.iter().filter(|source| Path::new(source).exists()) {
        println!("cargo::rerun-if-changed={source}");
    }
    println!("cargo::rerun-if-env-changed=CHINWAG_WEB");
    let wanted = env::var("CHINWAG_WEB").unwrap_or_default();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where output goes"));
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the crate is"));
    let files = out.join("web");
    let made = match wanted.as_str() {
        "off" => Err("it was built with CHINWAG_WEB=off".to_owned()),
        _ => client(&here, &files),
    };
    let why = made.err();
    if let Some(why) = &why {
        assert!(wanted != "require", "the web client could not be built: {why}");
        if wanted != "off" {
            println!("cargo::warning=the web client is not part of this build: {why}");
        }
        page(&here, &files, why);
    }
    let table = table(&files, why.as_deref());
    fs::write(out.join("assets.rs"), table).expect("the output folder can be written");
}

/// Builds the client into `files`. The error is a sentence without its full stop.
fn client(here: &Path, files: &Path) -> Result<(), String> {
    let version = run(Command::new("node").arg("--version"), "node")?;
    let mut parts = version.trim().trim_start_matches('v').split('.').map(|part| part.parse().unwrap_or(0));
    let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if version < NODE {
        return Err(format!(
            "it needs Node {}.{} or newer, and found {}.{}",
            NODE.0, NODE.1, version.0, version.1
        ));
    }
    let changed = |path: &str| fs::metadata(here.join(path)).and_then(|file| file.modified()).ok();
    // npm writes this file last.
    let installed = changed("node_modules/.package-lock.json");
    if installed.unwrap_or(SystemTime::UNIX_EPOCH)
        < changed("package-lock.json").unwrap_or(SystemTime::UNIX_EPOCH)
    {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        run(Command::new(npm).args(["ci", "--ignore-scripts", "--omit=dev"]).current_dir(here), "npm ci")?;
    }
    let vite = here.join("node_modules/vite/bin/vite.js");
    let mut build = Command::new("node");
    build.arg(vite).args(["build", "--emptyOutDir", "--logLevel", "warn", "--outDir"]).arg(files);
    run(build.current_dir(here), "vite build").map(|_| ())
}

/// Runs a program to its end. Gives what it printed.
fn run(command: &mut Command, name: &str) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{name} cannot be run ({error})"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let said: Vec<&str> = said.lines().map(str::trim).filter(|line| line.contains("rror")).take(3).collect();
    Err(format!(
        "{name} failed ({})",
        if said.is_empty() { "it did not say why".to_owned() } else { said.join("; ") }
    ))
}

/// The page that stands in for the client.
fn page(here: &Path, files: &Path, why: &str) {
    let text = fs::read_to_string(here.join("missing.html")).expect("missing.html is part of the crate");
    let why = why.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    fs::remove_dir_all(files).ok();
    fs::create_dir_all(files).expect("the output folder can be written");
    fs::write(files.join("index.html"), text.replace("{why}", &why))
        .expect("the output folder can be written");
}

/// The source of the table: every file with what is sent beside it.
fn table(files: &Path, why: Option<&str>) -> String {
    let mut found = Vec::new();
    let mut folders = vec![files.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the client's folder can be read") {
            let path = entry.expect("the client's folder can be read").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    let mut source = format!(
        "/// Why the client is not here, if it is not.\npub const MISSING: Option<&str> = {why:?};\n\n"
    );
    source.push_str("/// Every file, by path.\npub static ASSETS: &[Asset] = &[\n");
    for path in &found {
        let name = path.strip_prefix(files).expect("it was found there").to_string_lossy().replace('\\', "/");
        if name.ends_with(".br") || name.ends_with(".gz") {
            continue;
        }
        let bytes = fs::read(path).expect("a file of the client can be read");
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes);
        let beside = |ending: &str| {
            let path = PathBuf::from(format!("{}.{ending}", path.display()));
            if path.is_file() { format!("Some(include_bytes!({path:?}))") } else { "None".to_owned() }
        };
        let _ = writeln!(
            source,
            "    Asset {{ path: {:?}, kind: {:?}, etag: \"\\\"{:016x}\\\"\", hashed: {}, plain: include_bytes!({path:?}), brotli: {}, gzip: {} }},",
            format!("/{name}"),
            kind(&name),
            hasher.finish(),
            name.starts_with("assets/"),
            beside("br"),
            beside("gz"),
        );
    }
    source.push_str("];\n");
    source
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
