//! `chinwag doctor`, `completions` and the manual.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::process::Command;

use chinwag_testkit::process::Process;

const BINARY: &str = env!("CARGO_BIN_EXE_chinwag");

fn chinwag(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(BINARY).args(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_doctor_finds_what_is_wrong_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let (data, config) = (folder.path().join("data"), folder.path().join("chat.toml"));
    let server = Process::serve(Path::new(BINARY), &data, &[], &[]);
    fs::write(&config, format!("[[listener]]\naddress = \"{}\"\n", server.address())).unwrap();
    let doctor = || chinwag(&["doctor", "--data", text(&data), "--config", text(&config)]);
    let (code, said) = doctor();
    // The disk and the limits of this machine are not the test's.
    let bad: Vec<&str> =
        said.lines().filter(|line| line.starts_with("BAD") && !line.contains("disk:")).collect();
    assert!(bad.is_empty(), "{code} {said}");
    for word in [
        "a server answers on",
        "the database is whole",
        "only its owner gets into",
        "is good until",
        "as this version writes it",
        "what strangers do has a limit",
        "callers take at most 512 MiB",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    server.kill();
    assert!(doctor().1.contains("is free: no server listens there"), "{}", doctor().1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
        let (code, said) = doctor();
        assert!(code == 1 && said.contains("chmod 700"), "{said}");
        fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let open = "[throttle]\nnicks = false\nexempt = [\"0.0.0.0/0\"]\n[limits]\nmemory_bytes = 0\n";
    fs::write(&config, open).unwrap();
    let said = doctor().1;
    for word in ["has nicks switched off", "holds every address", "can take all the memory"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    std::thread::spawn(move || taken.incoming().for_each(drop));
    fs::write(
        &config,
        format!(
            "[[listener]]\naddress = \"{address}\"\ntls_cert = \"/nonexistent\"\ntls_key = \"/nonexistent\"\n"
        ),
    )
    .unwrap();
    let (code, said) = doctor();
    assert!(code == 1 && said.contains("does not answer as chinwag does"), "{said}");
    assert!(said.contains("cannot read the certificate /nonexistent"), "{said}");
    // A message from the future, then a database that is damaged.
    let file = data.join("chat.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    database.execute("UPDATE ev SET at_ms = 9000000000000", ()).unwrap();
    database.pragma_update(None, "journal_mode", "DELETE").unwrap();
    drop(database);
    assert!(doctor().1.contains("the clock was set back"), "{}", doctor().1);
    let mut bytes = fs::read(&file).unwrap();
    let length = bytes.len();
    bytes[8_192..length].fill(0x5a);
    fs::write(&file, bytes).unwrap();
    let (code, said) = doctor();
    assert!(code == 1 && said.contains("damaged"), "{said}");
    let none = folder.path().join("none");
    let (_, said) = chinwag(&["doctor", "--data", text(&none), "--config", text(&config)]);
    assert!(said.contains("there is no folder") && !none.exists(), "{said}");
}

#[test]
fn the_manual_and_completions_name_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = chinwag(&["man", text(folder.path())]);
    assert_eq!(code, 0, "{said}");
    for name in ["chinwag", "chinwag-serve", "chinwag-backup", "chinwag-import", "chinwag-config"] {
        let page = fs::read_to_string(folder.path().join(format!("{name}.1"))).unwrap();
        assert!(page.contains(".TH") && page.contains("SYNOPSIS"), "{page}");
    }
    assert!(!folder.path().join("chinwag-man.1").exists());
    for shell in ["bash", "zsh", "fish"] {
        let (code, said) = chinwag(&["completions", shell]);
        assert!(code == 0 && said.contains("rollback") && said.contains("overwrite"), "{shell}");
    }
    assert_eq!(chinwag(&["completions", "csh"]).0, 2);
}
