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
    let bare = command.clone().after_help(clap::builder::Resettable::Reset);
    clap_mangen::Man::new(bare).render(&mut text)?;
    if let Some(help) = command.get_after_help() {
        text.extend_from_slice(examples(&help.to_string()).as_bytes());
    }
    std::fs::write(folder.join(&file), text)?;
    Ok(file)
}

/// What `--help` shows at its end, for the manual: indented lines stay as they are, others are a paragraph.
fn examples(help: &str) -> String {
    let mut text = ".SH EXAMPLES\n".to_owned();
    let mut kept = false;
    for line in help.lines().filter(|line| *line != "Examples:") {
        let indented = line.starts_with(' ');
        if indented != kept && !line.is_empty() {
            text.push_str(if indented { ".nf\n" } else { ".fi\n.PP\n" });
            kept = indented;
        }
        let line = line.replace('\\', "\\e").replace('-', "\\-");
        // A line that begins like this would be taken for a request.
        let guard = if line.starts_with(['.', '\'']) { "\\&" } else { "" };
        text.push_str(&format!("{guard}{line}\n"));
    }
    if kept {
        text.push_str(".fi\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_keep_their_lines_and_sentences_flow() {
        let text = examples("Examples:\n  chinwag x --y\n  .z\n\nIt ends.\n'so'\n");
        assert_eq!(text, ".SH EXAMPLES\n.nf\n  chinwag x \\-\\-y\n  .z\n\n.fi\n.PP\nIt ends.\n\\&'so'\n");
    }
}
