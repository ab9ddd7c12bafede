//! A server in this process, on a free port and in a folder of its own.

// Each test file is a crate of its own and uses what it needs of this.
#![allow(dead_code, clippy::unwrap_used)]

pub mod http;
pub mod pebble;

use std::net::SocketAddr;

use chinwag_server::config::{ListenerConfig, Listeners};
use chinwag_server::{Config, Options, Running, Server};
use tempfile::TempDir;

/// A configuration that listens on a free port.
pub fn config() -> Config {
    let address = SocketAddr::from(([127, 0, 0, 1], 0));
    Config { listeners: Listeners(vec![ListenerConfig::any(address.into())]), ..Config::default() }
}

/// A server and its folder, which goes with it.
pub struct Place {
    folder: TempDir,
    running: Option<Running>,
}

impl Place {
    /// Starts a server in a new folder.
    pub fn start(config: Config) -> Place {
        let folder = tempfile::tempdir().unwrap();
        let running = Some(start(&folder, config));
        Place { folder, running }
    }

    pub fn address(&self) -> SocketAddr {
        self.running.as_ref().unwrap().addresses()[0]
    }

    /// The data folder.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    /// Stops the server; the folder stays.
    pub fn stop(&mut self) {
        self.running.take().unwrap().shutdown().unwrap();
    }

    /// Stops it and starts another in the same folder.
    pub fn restart(&mut self, config: Config) {
        if self.running.is_some() {
            self.stop();
        }
        self.running = Some(start(&self.folder, config));
    }
}

fn start(folder: &TempDir, config: Config) -> Running {
    Server::start(Options { config, data: folder.path().join("data") }).unwrap()
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            // A test that fails has said why already.
            let _ = running.shutdown();
        }
    }
}
