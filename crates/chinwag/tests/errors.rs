//! The binary's errors: one sentence on standard error that says what to do, and the exit code.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use chinwag_testkit::caller::Caller;
use chinwag_testkit::process::Process;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

fn chinwag(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).env("XDG_DATA_HOME", "/nonexistent").output().unwrap()
}

/// The code and the one line on standard error.
fn complaint(arguments: &[&str]) -> (i32, String) {
    let output = chinwag(arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "one sentence: {text}");
    assert!(output.stdout.is_empty(), "{:?}", String::from_utf8_lossy(&output.stdout));
    (output.status.code().unwrap(), text.trim_end().to_owned())
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn alone_it_explains_the_commands() {
    let output = chinwag(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for word in ["chinwag serve", "chinwag config", "nc 127.0.0.1 55555"] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn wrong_usage_is_2() {
    for arguments in [&["serv"][..], &["serve", "--listen", "here"], &["config", "check"]] {
        let output = chinwag(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    let output = chinwag(&["--version"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        concat!("chinwag ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn the_printed_configuration_is_fine() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.toml");
    fs::write(&file, chinwag(&["config"]).stdout).unwrap();
    let output = chinwag(&["config", "check", path(&file)]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.toml");
    fs::write(&file, "[server]\nname = \"a.b\"\n\n[limits]\nnick_lenght = 9\n").unwrap();
    let expected = format!(
        "chinwag: {}:5: unknown key \"nick_lenght\" in [limits]; did you mean \"nick_length\"?",
        file.display()
    );
    assert_eq!(complaint(&["config", "check", path(&file)]), (2, expected.clone()));
    let data = folder.path().join("data");
    assert_eq!(complaint(&["serve", "--config", path(&file), "--data", path(&data)]), (2, expected));
    assert!(!data.exists(), "nothing is touched before the configuration is fine");
}

#[test]
fn a_missing_configuration_is_2() {
    let (code, sentence) = complaint(&["serve", "--config", "/nonexistent/chat.toml"]);
    assert_eq!(code, 2);
    assert!(sentence.contains("cannot read the configuration /nonexistent/chat.toml"), "{sentence}");
}

#[test]
fn a_taken_port_says_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, sentence) = complaint(&["serve", "--listen", &address, "--data", path(folder.path())]);
    assert_eq!(code, 1);
    assert!(sentence.contains(&address) && sentence.contains("--listen"), "{sentence}");
    if cfg!(target_os = "linux") {
        assert!(sentence.contains(&format!("(process {})", std::process::id())), "{sentence}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_1() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let data = file.join("data");
    let (code, sentence) = complaint(&["serve", "--listen", "127.0.0.1:0", "--data", path(&data)]);
    assert_eq!(code, 1);
    assert!(sentence.contains(path(&data)) && sentence.contains("--data"), "{sentence}");
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = Process::serve(Path::new(BINARY), folder.path(), &[], &[]);
    let (code, sentence) = complaint(&["serve", "--listen", "127.0.0.1:0", "--data", path(folder.path())]);
    assert_eq!(code, 1);
    assert!(sentence.contains("in use") && sentence.contains("--data"), "{sentence}");
    // The first one did not notice.
    Caller::irc(first.address(), "ada", "");
    // A killed server leaves no lock behind.
    first.kill();
    Caller::irc(Process::serve(Path::new(BINARY), folder.path(), &[], &[]).address(), "ada", "");
}

#[test]
fn data_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    Process::serve(Path::new(BINARY), folder.path(), &[], &[]).kill();
    let file = folder.path().join("chat.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    database.pragma_update(None, "user_version", 9999).unwrap();
    drop(database);
    let (code, sentence) = complaint(&["serve", "--listen", "127.0.0.1:0", "--data", path(folder.path())]);
    assert_eq!(code, 1);
    assert!(sentence.contains("newer"), "{sentence}");
    let database = rusqlite::Connection::open(&file).unwrap();
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 9999);
}

#[cfg(unix)]
#[test]
fn the_data_folder_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new");
    let _server = Process::serve(Path::new(BINARY), &data, &[], &[]);
    assert_eq!(fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}

#[cfg(unix)]
#[test]
fn sigterm_tells_everybody_and_ends_within_a_second_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Process::serve(Path::new(BINARY), folder.path(), &[], &[]);
    let mut ada = Caller::irc(server.address(), "ada", "");
    let started = Instant::now();
    let pid = server.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(server.wait(Duration::from_secs(5)).code(), Some(0));
    assert!(started.elapsed() < Duration::from_secs(1), "it took {:?}", started.elapsed());
    let rest = String::from_utf8(ada.rest()).unwrap();
    assert!(rest.lines().last().unwrap_or_default().starts_with("ERROR :"), "{rest}");
}

#[cfg(unix)]
#[test]
fn sighup_reads_the_file_again_or_keeps_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.toml");
    fs::write(&file, "[server]\nmotd = \"first\"\n").unwrap();
    let data = folder.path().join("data");
    let server = Process::serve(Path::new(BINARY), &data, &["--config", path(&file)], &[]);
    let mut ada = Caller::irc(server.address(), "ada", "");
    let mut hang_up = |text: &str, expected: &str| {
        fs::write(&file, text).unwrap();
        let pid = server.id().to_string();
        assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            ada.send("MOTD");
            let line = ada.until(|line| line.contains(" 372 ") || line.contains(" 422 "));
            if line.ends_with(expected) {
                break;
            }
            assert!(Instant::now() < until, "{line}");
        }
    };
    hang_up("[server]\nmotd = \"second\"\n", "second");
    hang_up("[server]\nmotdd = \"third\"\n", "second");
    hang_up("[server]\nmotd = \"fourth\"\n", "fourth");
}

#[cfg(unix)]
#[test]
fn what_waits_for_the_next_start_is_named_when_the_file_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let (file, log) = (folder.path().join("chat.toml"), folder.path().join("log"));
    fs::write(&file, "").unwrap();
    let mut serve = Command::new(BINARY);
    serve
        .args(["serve", "--listen", "127.0.0.1:0", "--config", path(&file), "--data"])
        .arg(folder.path().join("data"));
    serve
        .env("CHINWAG_LOG", "warn")
        .stdout(std::process::Stdio::piped())
        .stderr(fs::File::create(&log).unwrap());
    let mut server = serve.spawn().unwrap();
    let mut first = String::new();
    let mut stdout = std::io::BufReader::new(server.stdout.take().unwrap());
    while !first.contains("Ctrl-C") {
        assert_ne!(std::io::BufRead::read_line(&mut stdout, &mut first).unwrap(), 0, "{first}");
    }
    fs::write(&file, "[server]\nmotd = \"x\"\n[metrics]\naddress = \"127.0.0.1:1\"\n").unwrap();
    assert!(Command::new("kill").args(["-HUP", &server.id().to_string()]).status().unwrap().success());
    let until = Instant::now() + Duration::from_secs(10);
    while !fs::read_to_string(&log).unwrap().contains("metrics.address") {
        assert!(Instant::now() < until, "{:?}", fs::read_to_string(&log));
        std::thread::sleep(Duration::from_millis(5));
    }
    server.kill().unwrap();
    server.wait().unwrap();
    let said = fs::read_to_string(&log).unwrap();
    assert!(said.contains("next start") && !said.contains("motd"), "{said}");
}
