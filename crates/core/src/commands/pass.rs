//! `PASS <password>`: the password of the whole server, before registration.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::session::Phase;
use crate::work::Secret;

/// `PASS <password>`. The last one before registration counts; it is looked at when registration completes.
pub(crate) fn pass(_chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    match &mut asking.session.phase {
        Phase::Greeting(greeting) => {
            greeting.password = message.params.first().map(|password| Secret::from(*password));
        }
        Phase::Entering(_) => return Flow::Wait,
        Phase::Live(_) => asking.refuse(Numeric::ERR_ALREADYREGISTERED, []),
        Phase::Closing => {}
    }
    Flow::Done
}
