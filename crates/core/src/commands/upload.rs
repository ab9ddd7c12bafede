//! `UPLOAD <room or *>`: an address to which one file can be sent, from whatever can send one.
//!
//! What lives here: who may ask, and what the address looks like to those who asked. What does not: the address, which
//! the server draws, and the file. What is sent there is said in the room by who asked, if they may speak there then.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, fail, given, noted};
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Heard};
use crate::effect::Effect;
use crate::ids::RoomId;
use crate::line::Text;

const NAME: &str = "UPLOAD";

/// `UPLOAD <room or *>`
pub(crate) fn upload(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let (name, Some(user)) = (message.params[0], asker(chat, asking)) else { return Flow::Done };
    if !asking.settings.files {
        fail(asking.effects, NAME, "DISABLED", [], "This server takes no files");
        return Flow::Done;
    }
    if name == "*" {
        asking.effects.push(Effect::Upload(None));
        return Flow::Done;
    }
    let Some(room) = chat.room_by_name(name).filter(|room| room.between.is_none()) else {
        asking.refuse(Numeric::ERR_NOSUCHCHANNEL, [given(name)]);
        return Flow::Done;
    };
    if asking.pending.locked(room.id) {
        return Flow::Wait;
    }
    match room.heard(user) {
        _ if room.member(user.id).is_none() => {
            asking.refuse(Numeric::ERR_NOTONCHANNEL, [(&room.name).into()]);
        }
        Heard::ByNobody(_) => asking.refuse(Numeric::ERR_CANNOTSENDTOCHAN, [(&room.name).into()]),
        _ => asking.effects.push(Effect::Upload(Some(room.id))),
    }
    Flow::Done
}

impl Chat {
    /// Tells the asking session where it can send its file, or that it has asked for too many addresses; `until` is for
    /// how long they hold, in words.
    pub fn ticket(&self, asking: &mut Asking<'_>, room: Option<RoomId>, url: Option<&str>, until: &str) {
        let Some(url) = url else {
            let text = "You have asked for too many addresses: use those that you have, or ask again in a few minutes";
            return fail(asking.effects, NAME, "TOO_MANY", [], text);
        };
        let (about, then) = match room.and_then(|room| self.room(room)) {
            Some(room) => (Text::from(&room.name), format!("It is then shown in {}.", room.name)),
            None => (Text::Static("*"), "You are given its link.".to_owned()),
        };
        let text = format!("Send one file within {until}: curl -T picture.png {url} {then}");
        noted(asking.effects, NAME, "TICKET", [about, url.to_owned().into()], text.into());
    }
}
