//! Waiting for things to show, and for programs to be there.

// Each test file is a crate of its own and uses what it needs of this.
#![allow(dead_code)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The longest that anything here may take on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Asks until there is an answer.
///
/// # Panics
/// At the deadline, with what `instead` says.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>, instead: impl Fn() -> String) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not show; instead there is:\n{}", instead());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether all programs are installed. Where they must be (`CI` is set) it is a failure if not.
pub fn installed(programs: &[&str]) -> bool {
    let folders: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    let is_there = |program: &&&str| folders.iter().any(|folder| folder.join(program).is_file());
    let missing: Vec<&str> = programs.iter().filter(|program| !is_there(program)).copied().collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "not installed: {}", missing.join(", "));
    eprintln!("SKIPPED: install {} to run this test", missing.join(", "));
    false
}
