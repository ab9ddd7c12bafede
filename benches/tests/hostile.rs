//! A hostile hour in some seconds: the same as the bench, with a bound on time that any machine holds.

use std::path::Path;
use std::process::Command;

#[test]
fn people_are_served_while_strangers_attack() {
    let bench = Path::new(env!("CARGO_BIN_EXE_chinwag-bench"));
    if !bench.with_file_name("chinwag").exists() {
        assert!(std::env::var_os("CI").is_none(), "cargo build -p chinwag comes before this test");
        eprintln!("skipped: cargo build -p chinwag makes the server that this test attacks");
        return;
    }
    // Without optimisation, and with other tests beside: only what must never happen is judged.
    let ran = Command::new(bench)
        .args(["hostile", "--seconds", "6", "--p99-ms", "5000", "--check", "--unpinned"])
        .output()
        .expect("the bench can be started");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("is in a counter: reached"), "{said}");
}
