//! `STATS <letter> [<server>]`: figures of the server.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{given, here};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;

/// `STATS u` is how long the server has been up; every other letter has nothing to show.
pub(crate) fn stats(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(letter) = message.params.first().copied().filter(|letter| !letter.is_empty()) else {
        asking.refuse(Numeric::ERR_NEEDMOREPARAMS, ["STATS".into()]);
        return Flow::Done;
    };
    if !here(chat, asking, message.params.get(1)) {
        return Flow::Done;
    }
    if letter == "u" {
        let up = asking.now_ms.saturating_sub(chat.started_ms(asking.next_user)) / 1000;
        let (days, rest) = (up / 86_400, up % 86_400);
        let time = format!("{}:{:02}:{:02}", rest / 3600, rest % 3600 / 60, rest % 60);
        asking.numeric(Numeric::RPL_STATSUPTIME, [format!("Server Up {days} days {time}").into()]);
    }
    asking.refuse(Numeric::RPL_ENDOFSTATS, [given(letter)]);
    Flow::Done
}
