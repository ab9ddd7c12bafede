//! Requests: one file a command, one line here.
//!
//! A command reads the chat, answers, and proposes events. It returns [`Flow::Wait`] only before it has done
//! either, since it will be asked again.

mod away;
mod invite;
mod join;
mod kick;
mod mode;
mod mode_room;
mod nick;
mod part;
mod privmsg;
mod quit;
pub(crate) mod reply;
mod tagmsg;
#[cfg(test)]
mod tests;
mod topic;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;
use chinwag_wire::verbs::Verb;

use self::reply::given;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::session::Phase;

/// What carries out a command.
type Handler = fn(&Chat, &mut Asking<'_>, &Message<'_>) -> Flow;

/// The table of commands.
fn handler(verb: Verb) -> Option<Handler> {
    Some(match verb {
        Verb::Away => away::away,
        Verb::Invite => invite::invite,
        Verb::Join => join::join,
        Verb::Kick => kick::kick,
        Verb::Mode => mode::mode,
        Verb::Nick => nick::nick,
        Verb::Notice => privmsg::notice,
        Verb::Part => part::part,
        Verb::Privmsg => privmsg::privmsg,
        Verb::Quit => quit::quit,
        Verb::Tagmsg => tagmsg::tagmsg,
        Verb::Topic => topic::topic,
        _ => return None,
    })
}

impl Chat {
    /// Decides a request: answers it, proposes events for it, or asks to be asked again.
    pub fn request(&self, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
        match asking.session.phase {
            Phase::Closing => return Flow::Done,
            Phase::Entering(_) => return Flow::Wait,
            Phase::Greeting(_) | Phase::Live(_) => {}
        }
        let registered = asking.session.user().is_some();
        let verb = Verb::lookup(message.command);
        if !registered && verb.is_none_or(Verb::needs_registration) {
            asking.refuse(Numeric::ERR_NOTREGISTERED, []);
            return Flow::Done;
        }
        let Some((verb, handle)) = verb.and_then(|verb| Some((verb, handler(verb)?))) else {
            asking.refuse(Numeric::ERR_UNKNOWNCOMMAND, [given(message.command)]);
            return Flow::Done;
        };
        if message.params.len() < verb.params_min() {
            asking.refuse(Numeric::ERR_NEEDMOREPARAMS, [verb.name().into()]);
            return Flow::Done;
        }
        handle(self, asking, message)
    }
}
