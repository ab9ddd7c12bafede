//! `TIME [<server>]`: the server's clock.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;
use chinwag_wire::time::format_millis;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::here;
use crate::ids::Millis;
use crate::line::Text;

/// `TIME [<server>]`: the server's name, seconds since the Unix epoch, their difference from the network's
/// (none: there is one clock), and the same for people.
pub(crate) fn time(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    if here(chat, asking, message.params.first().copied()) {
        let now_ms = asking.now_ms;
        let seconds = Text::from((now_ms / 1000).to_string());
        let server = Text::from(&asking.settings.server);
        asking.numeric(Numeric::RPL_TIME, [server, seconds, "0".into(), Text::from(stamp(now_ms))]);
    }
    Flow::Done
}

/// A time as `server-time` writes it: `2026-11-21T02:10:00.000Z`.
pub(crate) fn stamp(at_ms: Millis) -> String {
    let mut stamp = Vec::with_capacity(24);
    format_millis(at_ms, &mut stamp);
    String::from_utf8(stamp).expect("a time stamp is written in ASCII")
}
