//! `ISON <nickname>{ <nickname>}`: which of them are here.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::{Packer, addressee, room_for_last};
use crate::line::Text;

/// `ISON <nickname>{ <nickname>}`: one line, always; what does not fit is left out, as the question fitted one.
pub(crate) fn ison(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let who = addressee(chat, asking);
    let mut packer = Packer::new(room_for_last(&asking.settings.server, who.as_str(), 0));
    let nicks = message.params.iter().flat_map(|words| words.split(' ')).filter(|word| !word.is_empty());
    let full =
        nicks.filter_map(|nick| chat.user_by_nick(nick)).find_map(|user| packer.word(&[&user.who.nick]));
    let found = full.or_else(|| packer.finish()).unwrap_or(Text::Static(""));
    asking.numeric(Numeric::RPL_ISON, [found]);
    Flow::Done
}
