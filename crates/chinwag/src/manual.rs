//! Completions and pages of the manual, made from the command line's own definition.

use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::{Failure, print};

/// `chinwag completions`
pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "chinwag", &mut text);
    print(&String::from_utf8_lossy(&text))
}

/// `chinwag man`: a page for the program, and one for each of its commands.
pub(crate) fn pages(folder: &Path) -> Result<(), Failure> {
    let written = std::fs::create_dir_all(folder).and_then(|()| {
        let mut command = Cli::command();
        // So that pages of commands are called chinwag-serve and the like.
        command.build();
        let mut names = vec![page(folder, &command, "chinwag")?];
        for part in command.get_subcommands().filter(|part| !part.is_hide_set() && part.get_name() != "help")
        {
            names.push(page(folder, part, &format!("chinwag-{}", part.get_name()))?);
        }
        Ok(names)
    });
    let names = written.map_err(|error: io::Error| {
        Failure::Failed(format!("cannot write the manual to {}: {error}", folder.display()))
    })?;
    print(&format!("{}\n", names.join("\n")))
}

/// Writes a page; gives its file's name.
fn page(folder: &Path, command: &clap::Command, name: &str) -> io::Result<String> {
    let file = format!("{name}.1");
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    std::fs::write(folder.join(&file), text)?;
    Ok(file)
}
