//! `NUMBERS on|off`: whether this session is shown the numbers of messages.

use chinwag_wire::message::Message;

use super::deeds::{deny, note};
use super::reply::given;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::effect::Effect;

/// `NUMBERS on|off`
pub(crate) fn numbers(_chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    const NAME: &str = "NUMBERS";
    let wanted = message.params[0];
    let on = wanted.eq_ignore_ascii_case("on");
    if !on && !wanted.eq_ignore_ascii_case("off") {
        return deny(asking, NAME, "INVALID_PARAMS", [given(wanted)], "Numbers are on or off");
    }
    asking.session.numbers = on;
    asking.effects.push(Effect::Capabilities);
    let (code, text) = match on {
        true => ("ON", "Messages are shown with their numbers"),
        false => ("OFF", "Messages are shown without their numbers"),
    };
    note(asking, NAME, code, [], text.into());
    Flow::Done
}
