//! `ADMIN [<target>]`: who runs this server.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::here;
use crate::line::Text;

/// `ADMIN [<target>]`: the server, its description, its network, and where to ask.
pub(crate) fn admin(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    if !here(chat, asking, message.params.first().copied()) {
        return Flow::Done;
    }
    let settings = asking.settings;
    let ask = Text::from(format!("No address is given; ask in {}", settings.lobby));
    asking.numeric(Numeric::RPL_ADMINME, [(&settings.server).into(), "Administrative info".into()]);
    asking.numeric(Numeric::RPL_ADMINLOC1, [(&settings.description).into()]);
    asking.numeric(Numeric::RPL_ADMINLOC2, [Text::from(format!("{} network", settings.network))]);
    asking.numeric(Numeric::RPL_ADMINEMAIL, [ask]);
    Flow::Done
}
