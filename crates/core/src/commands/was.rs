//! `WAS <room> <message>`: what became of a message, for the room's operators.

use chinwag_wire::message::Message;

use super::deeds::{Deed, aim, note};
use super::time::stamp;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, without_action};
use crate::line::Text;
use crate::pointed::Change;

/// `WAS <room> <number or msgid>`: what was done to it, and by whom, oldest first. The texts it had before it was
/// edited are there until it is deleted.
pub(crate) fn was(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    const NAME: &str = "WAS";
    let aim = match aim(chat, asking, (NAME, Deed::Was), message.params[0], message.params[1]) {
        Ok(aim) => aim,
        Err(flow) => return flow,
    };
    let row = &aim.found.row;
    let number = row.number.0;
    let about = || [Text::from(&aim.room.name), number.to_string().into()];
    for former in &aim.found.formers {
        let (at, who) = (stamp(former.at_ms), &former.by.nick);
        let (code, text) = match &former.change {
            Change::Edited(Some(before)) => {
                let before = without_action(before);
                ("EDITED", format!("[{number}] {}, until {at}: {before}", row.by.nick))
            }
            Change::Edited(None) => ("EDITED", format!("[{number}] {who} edited it at {at}")),
            Change::Deleted(None) => ("DELETED", format!("[{number}] {who} deleted it at {at}")),
            Change::Deleted(Some(why)) => ("DELETED", format!("[{number}] {who} deleted it at {at}: {why}")),
        };
        note(asking, NAME, code, about(), text.into());
    }
    if let Some(purge) = aim.room.purge_of(row.number) {
        let (n, who, at) = (purge.purge, &purge.by, stamp(purge.at_ms));
        let (said, text) = (&row.by.nick, without_action(&row.text));
        let hidden = format!("[{number}] {who} hid it with purge {n} at {at}; {said}: {text}");
        note(asking, NAME, "PURGED", about(), hidden.into());
    } else if aim.room.purges.wiped.contains(row.number) {
        note(asking, NAME, "PURGED", about(), format!("[{number}] a purge removed it for good").into());
    } else if aim.found.formers.is_empty() {
        note(asking, NAME, "AS_SAID", about(), format!("[{number}] is as {} said it", row.by.nick).into());
    }
    Flow::Done
}
