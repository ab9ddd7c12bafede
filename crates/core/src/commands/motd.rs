//! `MOTD [<target>]`: the message of the day.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::{answer, here};
use crate::effect::Effects;
use crate::settings::Settings;

/// `MOTD [<target>]`
pub(crate) fn motd(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    if here(chat, asking, message.params.first().copied()) {
        lines(asking.settings, asking.effects);
    }
    Flow::Done
}

/// The message of the day, or that there is none.
pub(crate) fn lines(settings: &Settings, effects: &mut Effects) {
    let prepared = settings.prepared();
    if prepared.motd.is_empty() {
        answer(effects, Numeric::ERR_NOMOTD, [Numeric::ERR_NOMOTD.text().into()]);
        return;
    }
    answer(effects, Numeric::RPL_MOTDSTART, [(&prepared.motd_start).into()]);
    for text in &prepared.motd {
        answer(effects, Numeric::RPL_MOTD, [text.into()]);
    }
    answer(effects, Numeric::RPL_ENDOFMOTD, ["End of /MOTD command.".into()]);
}
