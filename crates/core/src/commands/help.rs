//! `HELP [<command>]`: what can be asked for, from the table of verbs.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;
use chinwag_wire::verbs::Verb;

use crate::asking::{Asking, Flow};
use crate::chat::{Chat, RoomModes};
use crate::commands::reply::{Packer, addressee, given, room_for_last};
use crate::line::Text;
use crate::roles::Role;

/// `HELP [<command>]`
pub(crate) fn help(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let subject = message.params.first().copied().filter(|subject| !subject.is_empty());
    match subject {
        None => overview(chat, asking),
        Some(subject) => match Verb::lookup(subject) {
            Some(verb) => about(asking, verb),
            None => asking.refuse(Numeric::ERR_HELPNOTFOUND, [given(subject)]),
        },
    }
    Flow::Done
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
    if verb == Verb::Mode {
        modes(asking);
    }
    asking.numeric(Numeric::RPL_ENDOFHELP, [subject(), verb.what().into()]);
}

/// Every mode of a room, a line each, and what the prefixes of masks mean.
fn modes(asking: &mut Asking<'_>) {
    let mut line = |text: String| {
        asking.numeric(Numeric::RPL_HELPTXT, [Text::Static(Verb::Mode.name()), text.into()]);
    };
    for mode in RoomModes::ALL {
        line(format!("{mode}  {}", RoomModes::meaning(*mode).unwrap_or_default()));
    }
    line("   Masks are nick!user@host, or a:account; m: before one silences and bans not.".to_owned());
    for role in Role::ALL {
        line(format!("{}  {} ({})", role.mode(), role.name(), role.sign()));
    }
}
