//! The binary: commands, exit codes, errors for people.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage or configuration. Errors are one sentence on standard error that
//! says what to do. A new command: a variant in `cli`, a module here, a line in the explanation.

mod account;
mod backup;
mod cli;
mod doctor;
mod folder;
mod import;
mod join;
mod known;
mod link;
mod manual;
mod nearby;
mod pipes;
mod progress;
mod records;
mod secret;
mod serve;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use chinwag_server::Config;
use clap::Parser;

use cli::{Cli, Command, ConfigCommand};

/// What went wrong, by exit code.
enum Failure {
    /// 1: could not be done.
    Failed(String),
    /// 2: was asked for wrongly.
    Usage(String),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Failed(sentence)) => complain(&sentence, 1),
        Err(Failure::Usage(sentence)) => complain(&sentence, 2),
    }
}

fn run(command: Option<Command>) -> Result<(), Failure> {
    match command {
        None => start_here(),
        Some(Command::Serve(args)) => serve::run(args),
        Some(Command::Join(args)) => join::run(args),
        Some(Command::Say(args)) => pipes::say(args),
        Some(Command::Tail(args)) => pipes::tail(args),
        Some(Command::Search(args)) => pipes::search(args),
        Some(Command::Export(args)) if args.data.is_some() => records::export(args),
        Some(Command::Export(args)) => pipes::export(args),
        Some(Command::Account(args)) => account::run(args),
        Some(Command::Import(args)) => import::run(args),
        Some(Command::Completions { shell }) => manual::completions(shell),
        Some(Command::Man { folder }) => manual::pages(&folder),
        Some(Command::Doctor(args)) => doctor::run(args),
        Some(Command::Backup(args)) => backup::backup(args),
        Some(Command::Restore(args)) => backup::restore(args),
        Some(Command::Rollback(args)) => backup::rollback(args),
        Some(Command::Hash) => account::hash(),
        Some(Command::Config { command: None }) => print(chinwag_server::config::DEFAULT_TOML),
        Some(Command::Config { command: Some(ConfigCommand::Check { file }) }) => check(&file),
    }
}

/// `chinwag` alone: what there is, and the way into a server that runs here.
fn start_here() -> Result<(), Failure> {
    print(cli::EXPLANATION)?;
    if join::here().is_some() {
        print("\nA server answers on this machine: `chinwag join` walks in.\n")?;
    }
    Ok(())
}

fn check(file: &Path) -> Result<(), Failure> {
    Config::read(file).map_err(|error| Failure::Usage(error.to_string()))?;
    print(&format!("{} is fine\n", file.display()))
}

/// Prints to standard output. Whoever closed it has seen enough: that is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn complain(sentence: &str, code: u8) -> ExitCode {
    eprintln!("chinwag: {sentence}");
    ExitCode::from(code)
}
