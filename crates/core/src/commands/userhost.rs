//! `USERHOST <nickname>{ <nickname>}`: user names and hosts of up to five users.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::{Packer, addressee, room_for_last};
use crate::line::Text;

/// Nicknames that are looked at.
const NICKS_MAX: usize = 5;

/// `USERHOST <nickname>{ <nickname>}`: one line, or more where one is too short for such long names.
pub(crate) fn userhost(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let who = addressee(chat, asking);
    let mut packer = Packer::new(room_for_last(&asking.settings.server, who.as_str(), 0));
    let nicks = message.params.iter().flat_map(|words| words.split(' ')).filter(|word| !word.is_empty());
    for user in nicks.take(NICKS_MAX).filter_map(|nick| chat.user_by_nick(nick)) {
        let away = if user.away.is_some() { "-" } else { "+" };
        if let Some(full) = packer.word(&[&user.who.nick, "=", away, &user.who.user, "@", &user.who.host]) {
            asking.numeric(Numeric::RPL_USERHOST, [full]);
        }
    }
    let last = packer.finish().unwrap_or(Text::Static(""));
    asking.numeric(Numeric::RPL_USERHOST, [last]);
    Flow::Done
}
