//! What an idle connection inside of TLS costs, of fewer than the bench's ten thousand: memory does not depend on how busy a
//! machine is.

use std::path::Path;
use std::process::Command;

#[test]
fn an_idle_connection_with_tls_keeps_little() {
    let bench = Path::new(env!("CARGO_BIN_EXE_chinwag-bench"));
    if !bench.with_file_name("chinwag").exists() {
        assert!(std::env::var_os("CI").is_none(), "cargo build -p chinwag comes before this test");
        eprintln!("skipped: cargo build -p chinwag makes the server that this test measures");
        return;
    }
    let ran = Command::new(bench).args(["idle", "--tls", "--connections", "500", "--unpinned"]).output();
    let ran = ran.expect("the bench can be started");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}\n{}", String::from_utf8_lossy(&ran.stderr));
    // What an empty server takes is another matter without optimisation.
    let each = said.lines().find(|line| line.contains("each of 500 idle TLS connections"));
    assert!(each.is_some_and(|line| line.ends_with(": reached)")), "{said}");
}
