//! `VERSION [<target>]`: what runs here, and what it supports.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::{here, tell};
use crate::effect::Effects;
use crate::line::Line;
use crate::settings::Settings;

/// `VERSION [<target>]`
pub(crate) fn version(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    if here(chat, asking, message.params.first().copied()) {
        let settings = asking.settings;
        let about = (&settings.description).into();
        let params = [(&settings.version).into(), (&settings.server).into(), about];
        asking.numeric(Numeric::RPL_VERSION, params);
        isupport(settings, asking.effects);
    }
    Flow::Done
}

/// The lines of RPL_ISUPPORT.
pub(crate) fn isupport(settings: &Settings, effects: &mut Effects) {
    for params in &settings.prepared().isupport {
        let mut line = Line::numeric(Numeric::RPL_ISUPPORT, []);
        line.params.extend(params.iter().cloned());
        tell(effects, line);
    }
}
