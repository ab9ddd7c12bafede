//! `INFO`: about the server and who made it.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::here;
use crate::line::Text;

/// `INFO`
pub(crate) fn info(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    if !here(chat, asking, message.params.first().copied()) {
        return Flow::Done;
    }
    let settings = asking.settings;
    let lines = [
        Text::from(&settings.version),
        Text::from(&settings.description),
        Text::Static("A room is a log: what was acknowledged is kept, and everybody sees one order."),
        Text::Static("Free software, MIT or Apache-2.0, by the chinwag authors."),
    ];
    let since = (!settings.created.is_empty()).then(|| Text::from(format!("Up since {}", settings.created)));
    for line in lines.into_iter().chain(since) {
        asking.numeric(Numeric::RPL_INFO, [line]);
    }
    asking.numeric(Numeric::RPL_ENDOFINFO, ["End of INFO list".into()]);
    Flow::Done
}
