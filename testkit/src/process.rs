//! The real binary as a child process, for tests: started on a free port, ended when dropped.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A server of its own process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: SocketAddr,
    // Kept open, so that the server can go on writing.
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts `chinwag serve` on a free port of this machine, with its data in `data`, and waits until it listens.
    ///
    /// # Panics
    /// When it does not start; its own complaint is on standard error.
    pub fn serve(binary: &Path, data: &Path, arguments: &[&str], environment: &[(&str, &Path)]) -> Process {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).env("CHINWAG_LOG", "warn");
        command.args(arguments).envs(environment.iter().copied());
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary can be started");
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("standard output can be read");
        let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("the server did not start, it said {line:?}"));
        Process { child, address, stdout }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as `kill -9` does.
    pub fn kill(mut self) {
        // Dropping does it.
        let _ = self.child.kill();
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not end in time.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let until = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(Instant::now() < until, "the server did not end within {within:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// How people walk in, as it prints at its start. Once.
    ///
    /// # Panics
    /// When it does not say so.
    pub fn ways_in(&mut self) -> String {
        let mut text = String::new();
        while !text.contains("Ctrl-C") {
            let read = self.stdout.read_line(&mut text).expect("standard output can be read");
            assert_ne!(read, 0, "the server ended, it said {text}");
        }
        text
    }

    /// What it still has to say on standard output. After its end.
    pub fn rest_of_output(&mut self) -> String {
        let mut text = String::new();
        // A pipe that broke had nothing more to say.
        let _ = self.stdout.read_to_string(&mut text);
        text
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
