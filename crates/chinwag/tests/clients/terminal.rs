//! A terminal for programs that need one: a tmux server of its own, typed at and looked at.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Terminals opened by this process so far: each has its own number.
static OPENED: AtomicUsize = AtomicUsize::new(0);

/// One terminal of 150 columns and 50 lines with one program. Both end when this is dropped.
pub struct Terminal {
    socket: String,
}

impl Terminal {
    /// Runs a command of the shell.
    ///
    /// # Panics
    /// When there is no tmux.
    pub fn open(command: &str) -> Terminal {
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let terminal = Terminal { socket: format!("chinwag-{}-{number}", std::process::id()) };
        let size = ["-x", "150", "-y", "50"];
        let session = ["-f", "/dev/null", "new-session", "-d", "-s", "chat"];
        terminal.tmux(&[&session[..], &size, &[command]].concat());
        terminal
    }

    /// Types a line.
    pub fn type_line(&self, line: &str) {
        self.tmux(&["send-keys", "-t", "chat", "-l", "--", line]);
        self.tmux(&["send-keys", "-t", "chat", "Enter"]);
    }

    /// What is on the screen.
    pub fn text(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-t", "chat"])
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let mut tmux = Command::new("tmux");
        // Started from within a tmux it must still be a server of its own.
        let output = tmux
            .args(["-L", &self.socket])
            .args(arguments)
            .env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .output();
        let output = output.expect("tmux runs");
        assert!(output.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The session may have ended with its program.
        let _ = Command::new("tmux").args(["-L", &self.socket, "kill-server"]).output();
    }
}
