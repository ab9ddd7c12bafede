//! `VERSION [<target>]`: what runs here, and what it supports.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::isupport;
use crate::commands::reply::here;

/// `VERSION [<target>]`
pub(crate) fn version(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    if here(chat, asking, message.params.first().copied()) {
        let settings = asking.settings;
        let about = (&settings.description).into();
        let params = [(&settings.version).into(), (&settings.server).into(), about];
        asking.numeric(Numeric::RPL_VERSION, params);
        isupport::lines(settings, asking.session.caps, asking.effects);
    }
    Flow::Done
}
