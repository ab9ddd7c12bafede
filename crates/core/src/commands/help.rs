//! `HELP [<command>]`: what can be asked for, from the table of verbs.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;
use chinwag_wire::verbs::Verb;

use crate::asking::{Asking, Flow};
use crate::chat::{Chat, RoomModes, UserModes};
use crate::commands::reply::{Packer, addressee, given, room_for_last};
use crate::commands::services::Service;
use crate::commands::stats;
use crate::line::Text;
use crate::roles::Role;

/// `HELP [<command>]`
pub(crate) fn help(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let subject = message.params.first().copied().filter(|subject| !subject.is_empty());
    match subject {
        None => overview(chat, asking),
        Some(subject) => match topic(subject) {
            Some(verb) => about(asking, verb),
            None => asking.refuse(Numeric::ERR_HELPNOTFOUND, [given(subject)]),
        },
    }
    Flow::Done
}

/// The command of a subject: modes have a page of their own under the names that people look for.
fn topic(subject: &str) -> Option<Verb> {
    let modes = ["MODES", "CMODE", "CMODES", "UMODE", "UMODES"];
    match modes.iter().any(|name| name.eq_ignore_ascii_case(subject)) {
        true => Some(Verb::Mode),
        false => Verb::lookup(subject),
    }
}

/// Every command, as many to a line as fit on a screen.
fn overview(chat: &Chat, asking: &mut Asking<'_>) {
    /// Columns of a screen that nobody finds too narrow.
    const COLUMNS: usize = 72;
    let star = || Text::Static("*");
    asking.numeric(Numeric::RPL_HELPSTART, [star(), "What you can ask for".into()]);
    asking.numeric(Numeric::RPL_HELPTXT, [star(), "".into()]);
    let who = addressee(chat, asking);
    let bytes_max = room_for_last(&asking.settings.server, who.as_str(), "* ".len());
    let mut packer = Packer::new(bytes_max.min(COLUMNS));
    for verb in Verb::ALL {
        if let Some(text) = packer.word(&[verb.name()]) {
            asking.numeric(Numeric::RPL_HELPTXT, [star(), text]);
        }
    }
    if let Some(text) = packer.finish() {
        asking.numeric(Numeric::RPL_HELPTXT, [star(), text]);
    }
    asking.numeric(Numeric::RPL_ENDOFHELP, [star(), "HELP <command> says more about one of them.".into()]);
}

fn about(asking: &mut Asking<'_>, verb: Verb) {
    let subject = || Text::Static(verb.name());
    asking.numeric(
        Numeric::RPL_HELPSTART,
        [subject(), format!("{} {}", verb.name(), verb.syntax()).trim_end().to_owned().into()],
    );
    asking.numeric(Numeric::RPL_HELPTXT, [subject(), "".into()]);
    for text in more(verb) {
        asking.numeric(Numeric::RPL_HELPTXT, [subject(), text.into()]);
    }
    asking.numeric(Numeric::RPL_ENDOFHELP, [subject(), verb.what().into()]);
}

/// What else there is to say about a command, a line each: all of it from the tables that the commands work by.
fn more(verb: Verb) -> Vec<String> {
    let rows = |rows: &[(&str, &str)]| rows.iter().map(|(usage, what)| format!("{usage}: {what}")).collect();
    match verb {
        Verb::Mode => modes(),
        Verb::Stats => {
            let note = |operators: bool| if operators { " (operators)" } else { "" };
            let row = |(letter, operators, what, _): &(char, bool, &str, _)| {
                format!("{letter}  {what}{}", note(*operators))
            };
            stats::ROWS.iter().map(row).collect()
        }
        Verb::Nickserv | Verb::Ns => rows(Service::NickServ.rows()),
        Verb::Chanserv | Verb::Cs => rows(Service::ChanServ.rows()),
        _ => Vec::new(),
    }
}

/// Every mode of a room, and of oneself, and what the prefixes of masks mean.
fn modes() -> Vec<String> {
    let mut lines = vec!["Of a room:".to_owned()];
    let room = RoomModes::ALL.iter().map(|mode| (*mode, RoomModes::meaning(*mode)));
    lines.extend(room.map(|(mode, meaning)| format!("{mode}  {}", meaning.unwrap_or_default())));
    lines.push("   Masks are nick!user@host, or a:account; m: before one silences and bans not.".to_owned());
    lines.extend(Role::ALL.iter().map(|role| format!("{}  {} ({})", role.mode(), role.name(), role.sign())));
    lines.push("Of yourself:".to_owned());
    let own = UserModes::ALL.chars().map(|mode| (mode, UserModes::meaning(mode)));
    lines.extend(own.map(|(mode, meaning)| format!("{mode}  {}", meaning.unwrap_or_default())));
    lines
}
