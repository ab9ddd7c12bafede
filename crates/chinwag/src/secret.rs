//! Passwords from people and files: typed without being seen, or the first line of a file or of standard input.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use chinwag_client::{Login, Secret};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::Failure;
use crate::cli::ProofArgs;

/// The login that the command line asks for: the password by `--password-file`, by `CHINWAG_PASSWORD`, or with `asks`
/// typed at the terminal.
pub(crate) fn login(args: &ProofArgs, asks: bool) -> Result<Option<Login>, Failure> {
    let Some(account) = args.account.clone() else { return Ok(None) };
    let password = match (&args.password_file, std::env::var("CHINWAG_PASSWORD")) {
        (Some(file), _) => first_line(file)?,
        (None, Ok(password)) => password,
        (None, Err(_)) if asks && io::stdin().is_terminal() => typed(&account)?,
        (None, Err(_)) => {
            let sentence = "the account's password is needed: CHINWAG_PASSWORD=… or --password-file FILE";
            return Err(Failure::Usage(sentence.into()));
        }
    };
    Ok(Some(Login::Password { account, password: Secret::new(password) }))
}

fn first_line(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Usage(format!("cannot read {}: {error}", file.display())))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Failure::Usage(format!("there is no password in the first line of {}", file.display())));
    }
    Ok(line.to_owned())
}

/// The first line of standard input. At a terminal it is asked for, and what is typed is not seen.
pub(crate) fn typed(name: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::Failed(format!("cannot read the password: {error}"));
    let asked = io::stdin().is_terminal();
    let mut line = String::new();
    {
        // Before it asks, so that nothing is seen of a fast answer.
        let _unseen = asked.then(Unseen::begin).flatten();
        if asked {
            eprint!("password of {name}: ");
            io::stderr().flush().map_err(failed)?;
        }
        io::stdin().lock().read_line(&mut line).map_err(failed)?;
    }
    if asked {
        eprintln!();
    }
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        return Err(Failure::Usage("no password came: write it to standard input, in one line".to_owned()));
    }
    Ok(password)
}

/// While it lives, the terminal does not show what is typed.
struct Unseen(Termios);

impl Unseen {
    /// None where the terminal cannot be told: then it is seen.
    fn begin() -> Option<Unseen> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &unseen).ok()?;
        Some(Unseen(before))
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // The terminal may be gone: then there is nothing to bring back.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
