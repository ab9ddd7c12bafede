//! The servers that a bench can drive: chinwag with its log on, the floor, and InspIRCd when it is installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::process::{Process, free_address};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The floor of `floor.rs`.
    Floor,
    /// chinwag, storing every message before it delivers it.
    Chinwag,
    /// The same, with every caller at its WebSocket.
    WebSocket,
    /// InspIRCd, which keeps nothing.
    Inspircd,
}

impl Kind {
    /// How it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Floor => "floor",
            Kind::Chinwag => "chinwag",
            Kind::WebSocket => "chinwag, WebSocket",
            Kind::Inspircd => "InspIRCd",
        }
    }
}

/// Where to find things.
#[derive(Clone, Debug, clap::Args)]
pub struct Places {
    /// The chinwag to measure; without it the one beside this program (cargo build --release makes it)
    #[arg(long, value_name = "FILE", global = true)]
    pub chinwag: Option<PathBuf>,
    /// A folder on a real disk for the server's data; without it a folder beside this program
    #[arg(long, value_name = "FOLDER", global = true)]
    pub folder: Option<PathBuf>,
    /// InspIRCd's program
    #[arg(long, value_name = "FILE", default_value = "/usr/sbin/inspircd", global = true)]
    pub inspircd: PathBuf,
}

/// A running server and the folder with its data, which goes away with it.
pub struct Server {
    /// Which one.
    pub kind: Kind,
    /// Its process.
    pub process: Process,
    /// Its data.
    pub folder: TempDir,
}

impl Places {
    /// Starts a server with an empty folder.
    ///
    /// # Errors
    /// When its program is not there or does not start; the message says what to do.
    pub fn start(&self, kind: Kind) -> Result<Server> {
        self.start_with(kind, &[])
    }

    /// The same, with more in its environment.
    ///
    /// # Errors
    /// As [`Places::start`].
    pub fn start_with(&self, kind: Kind, environment: &[(&str, &str)]) -> Result<Server> {
        let folder = self.new_folder()?;
        let address = free_address()?;
        let mut command = match kind {
            Kind::Floor => {
                let mut command = Command::new(std::env::current_exe()?);
                command.args(["floor", "--listen", &address.to_string()]);
                command
            }
            Kind::Chinwag | Kind::WebSocket => self.chinwag_command(folder.path(), &address.to_string())?,
            Kind::Inspircd => self.inspircd_command(folder.path(), address.port())?,
        };
        command.current_dir(folder.path()).envs(environment.iter().copied());
        let process = Process::start(command, address, folder.path())?;
        Ok(Server { kind, process, folder })
    }

    /// chinwag with an empty folder and a configuration of its own.
    ///
    /// # Errors
    /// As [`Places::start`].
    pub fn start_configured(&self, config: &str) -> Result<Server> {
        let (folder, address) = (self.new_folder()?, free_address()?);
        let mut command = self.chinwag_command(folder.path(), &address.to_string())?;
        fs::write(folder.path().join(CONFIG), config)?;
        command.current_dir(folder.path());
        let process = Process::start(command, address, folder.path())?;
        Ok(Server { kind: Kind::Chinwag, process, folder })
    }

    /// Whether InspIRCd is installed.
    pub fn has_inspircd(&self) -> bool {
        self.inspircd.exists()
    }

    /// A new folder on the disk that counts.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new_folder(&self) -> Result<TempDir> {
        let beside = || std::env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
        let parent = self.folder.clone().or_else(beside).context("name a folder with --folder")?;
        let made = tempfile::Builder::new().prefix("chinwag-bench-").tempdir_in(&parent);
        made.with_context(|| format!("cannot make a folder in {}", parent.display()))
    }

    /// The chinwag to measure.
    ///
    /// # Errors
    /// When it is not there.
    pub fn chinwag_program(&self) -> Result<PathBuf> {
        let program = match &self.chinwag {
            Some(program) => program.canonicalize().unwrap_or_else(|_| program.clone()),
            None => std::env::current_exe()?.with_file_name("chinwag"),
        };
        if !program.exists() {
            bail!("{} is not there: run `cargo build --release` first", program.display());
        }
        Ok(program)
    }

    /// `chinwag serve` on a folder of its own.
    ///
    /// # Errors
    /// When the program is not built.
    pub fn chinwag_command(&self, folder: &Path, address: &str) -> Result<Command> {
        let program = self.chinwag_program()?;
        let config = folder.join(CONFIG);
        fs::write(&config, CHINWAG)?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--data").arg(folder.join("data")).args(["--listen", address]);
        command.arg("--config").arg(config);
        Ok(command)
    }

    fn inspircd_command(&self, folder: &Path, port: u16) -> Result<Command> {
        let config = folder.join("inspircd.conf");
        fs::write(
            &config,
            INSPIRCD.replace("PORT", &port.to_string()).replace("FOLDER", &folder.to_string_lossy()),
        )?;
        let mut command = Command::new(&self.inspircd);
        command.args(["--nofork", "--nopid", "--runasroot", "--config"]).arg(config);
        Ok(command)
    }
}

/// chinwag's configuration, in its folder.
const CONFIG: &str = "chinwag.toml";

/// Everything as it comes, but for the brakes that are meant for strangers.
const CHINWAG: &str = "";

/// No flood limits, no look-ups, large classes: what it can do, not what it allows.
const INSPIRCD: &str = r##"
<server name="bench.example" description="bench" network="Bench">
<admin name="bench" nick="bench" email="bench@example">
<bind address="127.0.0.1" port="PORT" type="clients">
<connect name="all" allow="*" timeout="60" pingfreq="1h" hardsendq="512M" softsendq="512M" recvq="16M"
         threshold="1000000" commandrate="1000000000" fakelag="no" localmax="100000" globalmax="100000"
         limit="100000" maxchans="1000" maxconnwarn="no" resolvehostnames="no" useconnflood="no">
<performance netbuffersize="65534" somaxconn="4096" softlimit="19000" clonesonconnect="no" quietbursts="yes">
<cidr ipv4clone="32" ipv6clone="128">
<options defaultmodes="nt" syntaxhints="no">
<log method="file" type="STARTUP" level="default" target="FOLDER/inspircd.log">
<path datadir="FOLDER" logdir="FOLDER">
<pid file="FOLDER/inspircd.pid">
<module name="cap">
<module name="ircv3_echomessage">
"##;
