//! `WHOWAS <nickname>{,<nickname>} [<count>]`: who had a nickname before.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::given;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::time::stamp;
use crate::line::Text;

/// `WHOWAS <nickname>{,<nickname>} [<count>]`: those who left the nickname, the latest first; at most `count` of
/// them for each nickname when that is a positive number.
pub(crate) fn whowas(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let Some(wanted) = message.params.first().copied().filter(|wanted| !wanted.is_empty()) else {
        asking.refuse(Numeric::ERR_NONICKNAMEGIVEN, []);
        return Flow::Done;
    };
    let count =
        message.params.get(1).and_then(|count| count.parse::<usize>().ok()).filter(|count| *count > 0);
    let most = count.unwrap_or(usize::MAX).min(asking.settings.whowas_entries);
    // One nickname an answer (TARGMAX): what is behind a comma is left alone.
    let nick = wanted.split(',').next().unwrap_or(wanted);
    let mut found = false;
    for gone in chat.whowas(nick).take(most) {
        found = true;
        let nick = || Text::from(&gone.who.nick);
        let (user, host) = (Text::from(&gone.who.user), Text::from(&gone.who.host));
        asking.numeric(Numeric::RPL_WHOWASUSER, [nick(), user, host, "*".into(), (&gone.realname).into()]);
        let server = Text::from(&asking.settings.server);
        asking.numeric(Numeric::RPL_WHOISSERVER, [nick(), server, stamp(gone.at_ms).into()]);
    }
    if !found {
        asking.refuse(Numeric::ERR_WASNOSUCHNICK, [given(nick)]);
    }
    asking.refuse(Numeric::RPL_ENDOFWHOWAS, [given(wanted)]);
    Flow::Done
}
