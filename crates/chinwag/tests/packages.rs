//! The Debian package, built of the program that cargo has just built and looked at as an administrator would; and the
//! Dockerfile, held to the facts of this repository, since no engine is needed for that.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chinwag_server::config::PORT;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Whether a program is there. Where changes are judged it has to be.
fn has(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
    let found = found.status.success();
    assert!(found || std::env::var_os("CI").is_none(), "{program} is not installed: .ci/run has to do that");
    if !found {
        eprintln!("SKIPPED: {program} is not installed");
    }
    found
}

/// What a command printed on standard output; it has to end well.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {out}{err}");
    out.into_owned()
}

/// A built package, and what was in it.
struct Package {
    folder: tempfile::TempDir,
    file: PathBuf,
}

impl Package {
    fn build() -> Option<Package> {
        if !["dpkg-deb", "strip", "python3"].into_iter().all(has) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut build = Command::new(root().join("packaging/build-deb"));
        // Nobody keeps it: it need not be small.
        build
            .arg(folder.path())
            .arg(BINARY)
            .env("DPKG_DEB_COMPRESSOR_TYPE", "gzip")
            .env("DPKG_DEB_COMPRESSOR_LEVEL", "1");
        run(&mut build);
        let found = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let file = found.into_iter().next().unwrap();
        let package = Package { folder, file };
        run(Command::new("dpkg-deb").arg("-x").arg(&package.file).arg(package.files()));
        run(Command::new("dpkg-deb").arg("-e").arg(&package.file).arg(package.control()));
        Some(package)
    }

    fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    fn control(&self) -> PathBuf {
        self.folder.path().join("control")
    }

    fn field(&self, name: &str) -> String {
        run(Command::new("dpkg-deb").arg("-f").arg(&self.file).arg(name)).trim().to_owned()
    }
}

fn describes_itself(package: &Package) {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        (package.field("Package"), package.field("Version")),
        ("chinwag".to_owned(), version.to_owned())
    );
    let depends = package.field("Depends");
    assert!(depends.starts_with("libc6 (>= 2.") && !depends.contains('@'), "{depends}");
    assert!(package.field("Installed-Size").parse::<u64>().unwrap() > 1000);
    assert_eq!(fs::read_to_string(package.control().join("conffiles")).unwrap(), "/etc/chinwag/chat.toml\n");
    for script in ["postinst", "prerm", "postrm"] {
        run(Command::new("sh").arg("-n").arg(package.control().join(script)));
    }
    run(Command::new("md5sum")
        .args(["--check", "--quiet"])
        .arg(package.control().join("md5sums"))
        .current_dir(package.files()));
    // Nobody but root may write anywhere, and everybody may read.
    for line in run(Command::new("dpkg-deb").arg("-c").arg(&package.file)).lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let program = words[5] == "./usr/bin/chinwag";
        let mode = if line.starts_with('d') || program { "rwxr-xr-x" } else { "rw-r--r--" };
        assert_eq!((&words[0][1..], words[1]), (mode, "root/root"), "{line}");
    }
}

fn is_what_it_installs(package: &Package) {
    let files = package.files();
    let installed = files.join("usr/bin/chinwag");
    let said = run(Command::new(&installed).arg("--version"));
    assert_eq!(said, format!("chinwag {}\n", env!("CARGO_PKG_VERSION")));
    run(Command::new(&installed).args(["config", "check"]).arg(files.join("etc/chinwag/chat.toml")));
    run(Command::new("bash").arg("-n").arg(files.join("usr/share/bash-completion/completions/chinwag")));
    for completion in ["zsh/vendor-completions/_chinwag", "fish/vendor_completions.d/chinwag.fish"] {
        assert!(fs::read_to_string(files.join("usr/share").join(completion)).unwrap().contains("rollback"));
    }
    let doc = files.join("usr/share/doc/chinwag");
    for file in
        ["copyright", "changelog.gz", "NEWS.gz", "THIRD-PARTY.gz", "sbom.json", "security.md", "grafana.json"]
    {
        assert!(fs::metadata(doc.join(file)).unwrap().len() > 100, "{file}");
    }
}

fn has_a_manual(package: &Package) {
    let folder = package.files().join("usr/share/man/man1");
    let pages: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for command in ["", "-serve", "-join", "-backup", "-restore", "-rollback", "-doctor", "-import"] {
        assert!(pages.contains(&format!("chinwag{command}.1.gz")), "{pages:?}");
    }
    if !has("man") {
        return;
    }
    for page in &pages {
        let mut man = Command::new("man");
        man.args(["--warnings", "-l"]).arg(folder.join(page)).env("MANWIDTH", "100").env("LC_ALL", "C.UTF-8");
        let output = man.output().unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{page}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("SYNOPSIS"), "{text}");
        if page == "chinwag-serve.1.gz" {
            assert!(text.contains("chinwag serve --data ./chat            keeps what is said"), "{text}");
        }
    }
}

fn has_units_that_make_sense(package: &Package) {
    let units = package.files().join("usr/lib/systemd/system");
    let service = fs::read_to_string(units.join("chinwag.service")).unwrap();
    let exec = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    assert!(exec.starts_with("/usr/bin/chinwag serve --config /etc/chinwag/chat.toml "), "{exec}");
    if !has("systemd-analyze") {
        return;
    }
    let copies = package.folder.path().join("units");
    fs::create_dir(&copies).unwrap();
    // It looks whether the program is there.
    let here = service.replace("/usr/bin/chinwag", package.files().join("usr/bin/chinwag").to_str().unwrap());
    fs::write(copies.join("chinwag.service"), here).unwrap();
    fs::copy(units.join("chinwag.socket"), copies.join("chinwag.socket")).unwrap();
    let mut verify = Command::new("systemd-analyze");
    verify
        .args(["--man=no", "verify"])
        .arg(copies.join("chinwag.service"))
        .arg(copies.join("chinwag.socket"));
    let output = verify.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("chinwag."), "{said}");
}

/// Installed into a folder, changed, removed and purged. The system beside it is not asked and not touched.
fn comes_and_goes(package: &Package) {
    if run(Command::new("id").arg("-u")).trim() != "0" {
        eprintln!("SKIPPED: only root can install");
        return;
    }
    let place = package.folder.path().join("root");
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "var/log"] {
        fs::create_dir_all(place.join(folder)).unwrap();
    }
    fs::write(place.join("var/lib/dpkg/status"), "").unwrap();
    let dpkg = |arguments: &[&str]| {
        let mut dpkg = Command::new("dpkg");
        let root = format!("--root={}", place.display());
        dpkg.args([&*root, "--force-not-root", "--force-depends", "--force-script-chrootless"]);
        run(dpkg.args(arguments))
    };
    dpkg(&["--install", package.file.to_str().unwrap()]);
    assert!(dpkg(&["--status", "chinwag"]).contains("\nStatus: install ok installed\n"));
    assert_eq!(dpkg(&["--verify", "chinwag"]), "");
    let conffile = place.join("etc/chinwag/chat.toml");
    fs::write(&conffile, "[server]\nnetwork = \"ours\"\n").unwrap();
    // The same again, as an upgrade: what was changed by hand stays.
    dpkg(&["--force-confold", "--install", package.file.to_str().unwrap()]);
    assert!(fs::read_to_string(&conffile).unwrap().contains("ours"));
    dpkg(&["--remove", "chinwag"]);
    assert!(conffile.exists() && !place.join("usr/bin/chinwag").exists());
    dpkg(&["--purge", "chinwag"]);
    assert!(!conffile.exists());
}

fn lintian_finds_no_errors(package: &Package) {
    if has("lintian") {
        let mut lintian = Command::new("lintian");
        run(lintian
            .args(["--allow-root", "--fail-on", "error", "--tag-display-limit", "0"])
            .arg(&package.file));
    }
}

#[test]
fn the_debian_package_is_one() {
    let Some(package) = Package::build() else { return };
    describes_itself(&package);
    is_what_it_installs(&package);
    has_a_manual(&package);
    has_units_that_make_sense(&package);
    comes_and_goes(&package);
    lintian_finds_no_errors(&package);
}

/// The instructions of a Dockerfile, each in one line, as word and rest.
fn instructions(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let whole = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let found = whole.lines().filter_map(|line| line.trim().split_once(' '));
    found.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

/// The words of a list such as `["a", "b"]`.
fn words(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_else(|error| panic!("{list}: {error}"))
}

fn file(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

#[test]
fn the_dockerfile_is_true() {
    let found = instructions(&file("packaging/Dockerfile"));
    let all = |word: &'static str| {
        found.iter().filter(move |(name, _)| name == word).map(|(_, rest)| rest.as_str())
    };
    let one = |word: &'static str| all(word).next_back().unwrap_or_else(|| panic!("there is no {word}"));

    // What it is built with is what the workspace asks for.
    let manifest: toml::Table = file("Cargo.toml").parse().unwrap();
    let rust = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    assert!(all("FROM").any(|from| from.starts_with(&format!("rust:{rust}-"))), "rust-version is {rust}");
    let node =
        all("FROM").find_map(|from| from.strip_prefix("node:")?.split('-').next()?.parse::<u32>().ok());
    assert!(node.unwrap() >= 22, "the web client needs Node 20.19 or newer");
    assert!(all("ENV").any(|env| env == "CHINWAG_WEB=require"), "an image without a web client is no image");
    let builds: Vec<&str> = all("RUN").filter(|run| run.contains("cargo build")).collect();
    let program: toml::Table = file("crates/chinwag/Cargo.toml").parse().unwrap();
    let [build] = builds[..] else { panic!("{builds:?}") };
    let build: Vec<&str> = build.split(" && ").next().unwrap().split(' ').collect();
    assert!(build.contains(&"--release") && build.contains(&"--locked"), "{build:?}");
    let after = |option: &str| build[build.iter().position(|word| *word == option).unwrap() + 1];
    assert_eq!(after("-p"), program["package"]["name"].as_str().unwrap());
    assert!(program["features"].as_table().unwrap().contains_key(after("--features")));

    // What it copies is there.
    let stages: Vec<&str> = all("FROM").filter_map(|from| from.split(" AS ").nth(1)).collect();
    for copy in all("COPY") {
        let (options, paths): (Vec<&str>, Vec<&str>) =
            copy.split(' ').partition(|word| word.starts_with("--"));
        match options.iter().find_map(|option| option.strip_prefix("--from=")) {
            Some(stage) => assert!(stages.contains(&stage), "{copy}: there is no stage {stage}"),
            None => assert!(root().join(paths[0]).exists(), "{copy}: there is no {}", paths[0]),
        }
    }
    let copied = all("COPY").find(|copy| copy.contains("/target/release/")).unwrap();
    let place = copied.split(' ').next_back().unwrap();
    assert!(copied.contains(&format!("{}/target/release/chinwag ", one("WORKDIR"))), "{copied}");

    // Who it is, where it writes, and where it listens.
    let user = one("USER").split(':').next().unwrap();
    assert_ne!(user.parse::<u32>().expect("a number: engines ask whether it is root"), 0);
    assert!(all("RUN").any(|run| run.starts_with("useradd ") && run.contains(&format!("--uid {user} "))));
    let data = one("VOLUME");
    assert!(
        all("COPY")
            .any(|copy| copy.contains(&format!("--chown={user}:")) && copy.ends_with(&format!(" {data}")))
    );
    assert_eq!(one("EXPOSE"), PORT.to_string());
    let (entry, serve) = (words(one("ENTRYPOINT")), words(one("CMD")));
    assert_eq!(entry, [place]);
    assert_eq!(serve, ["serve", "--listen", &format!("0.0.0.0:{PORT}"), "--data", data]);
    let health = words(one("HEALTHCHECK").split_once("CMD ").unwrap().1);
    assert_eq!(health, [place, "doctor", "--data", data]);
    assert_eq!(one("STOPSIGNAL"), "SIGTERM");
    let ignored = file(".dockerignore");
    assert!(
        ["target", "crates/web/node_modules"].iter().all(|path| ignored.lines().any(|line| line == *path))
    );
}

#[test]
fn the_health_check_of_the_image_knows_a_server_that_is_well() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = chinwag_testkit::process::Process::serve(Path::new(BINARY), &data, &[], &[]);
    let health = || Command::new(BINARY).args(["doctor", "--data"]).arg(&data).output().unwrap();
    let well = health();
    assert!(well.status.success(), "{}", String::from_utf8_lossy(&well.stdout));
    server.kill();
    // Data that cannot be read is bad. What the log file beside the database holds would mend it.
    fs::remove_file(data.join("chat.db-wal")).unwrap();
    fs::write(data.join("chat.db"), "this is no database at all, and nobody says it is").unwrap();
    assert_eq!(health().status.code(), Some(1), "{:?}", health());
}
