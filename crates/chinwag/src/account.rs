//! `chinwag account …`: accounts of a data folder on which no server runs.

use std::path::Path;

use chinwag_server::Config;
use chinwag_server::keeper::Keeper;

use crate::cli::{AccountArgs, AccountCommand};
use crate::progress::Line;
use crate::{Failure, folder, print, secret};

/// Carries one of the commands out.
pub(crate) fn run(args: AccountArgs) -> Result<(), Failure> {
    let AccountArgs { data, command } = args;
    let data = folder::data(data)?;
    let keeper = match &command {
        AccountCommand::Add { config, .. } => make(&data, config.as_deref())?,
        _ => open(&data)?,
    };
    let failed = |error: chinwag_server::keeper::KeepError| Failure::Failed(error.to_string());
    match command {
        AccountCommand::Add { name, .. } => {
            keeper.add(&name, &secret::typed(&name)?).map_err(failed)?;
            print(&format!("{name} is an account now\n"))
        }
        AccountCommand::Password { name } => {
            keeper.set_password(&name, &secret::typed(&name)?).map_err(failed)?;
            print(&format!("{name} has another password\n"))
        }
        AccountCommand::List => {
            let mut text = String::new();
            for account in keeper.chat().accounts() {
                let waits = if account.verified() { "" } else { " (waits for its code)" };
                text.push_str(&format!("{}{waits}\n", account.name));
            }
            print(&text)
        }
        AccountCommand::Erase { name, yes: false } => {
            let found = keeper.erasable(&name).map_err(failed)?;
            let sentence = format!(
                "{} messages in {} rooms and conversations would be removed for good; `chinwag account erase {name} --yes` \
                 does it\n",
                found.messages, found.rooms
            );
            print(&sentence)
        }
        AccountCommand::Erase { name, yes: true } => {
            let mut line = Line::new();
            let gone = keeper.erase(&name, &mut |erasure| {
                let percent = erasure.looked_at.0 * 100 / erasure.seq.0.max(1);
                line.say(|| format!("{} messages, {percent} %", erasure.gone));
            });
            let gone = gone.map_err(failed)?;
            drop(line);
            print(&format!("{gone} messages of {name} were removed\n"))
        }
        AccountCommand::Remove { name } => {
            keeper.remove(&name).map_err(failed)?;
            print(&format!("{name} is an account no more\n"))
        }
    }
}

/// `chinwag hash`: what the configuration keeps of a password.
pub(crate) fn hash() -> Result<(), Failure> {
    let password = secret::typed("the operator")?;
    print(&format!("{}\n", chinwag_server::keeper::hash_password(&password)))
}

fn open(data: &Path) -> Result<Keeper, Failure> {
    if !Keeper::is_kept(data) {
        let sentence = format!("there is nothing kept in {}; say where with --data DIR", data.display());
        return Err(Failure::Failed(sentence));
    }
    Keeper::open(data).map_err(|error| Failure::Failed(error.to_string()))
}

/// The first account may come before the first start of a server.
fn make(data: &Path, config: Option<&Path>) -> Result<Keeper, Failure> {
    let config = config.map_or_else(|| Ok(Config::default()), Config::read);
    let config = config.map_err(|error| Failure::Usage(error.to_string()))?;
    Keeper::make(data, &config).map_err(|error| Failure::Failed(error.to_string()))
}
