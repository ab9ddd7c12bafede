//! `OPER <name> <password>`: becoming a server operator.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::accounts::{Then, work};
use crate::allowance::Dear;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::{asker, cut};
use crate::effect::Effect;
use crate::event::{Act, Event, OperatorActed};
use crate::line::Text;
use crate::privileges::{Oper, Operator};
use crate::work::{Job, Outcome};

/// Wrong passwords after which a session is closed.
const WRONG_MAX: u8 = 5;

/// Bytes of a wrong name that are put on record.
const NAME_BYTES_MAX: usize = 64;

/// `OPER <name> <password>`. An unknown name takes as long as a wrong password, and is answered as one.
pub(crate) fn oper(_chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let [name, password, ..] = message.params[..] else { return Flow::Done };
    if !asking.session.secure && !asking.settings.accounts.cleartext_passwords {
        asking.refuse(Numeric::ERR_NOOPERHOST, []);
        return Flow::Done;
    }
    if !asking.allows(Dear::WrongPasswords) {
        let text = Text::from("Too many wrong passwords came from your network; try again in a few minutes");
        asking.numeric(Numeric::RPL_TRYAGAIN, ["OPER".into(), text]);
        return Flow::Done;
    }
    let verifiers = found(asking, name).map(|oper| Arc::clone(&oper.verifiers));
    work(asking, Then::Oper(name.into()), Job::Check { password: password.into(), verifiers });
    Flow::Done
}

/// Puts on record that somebody became a server operator, or tried to.
fn record(chat: &Chat, asking: &mut Asking<'_>, operator: Option<&Arc<str>>, act: Act) {
    if let Some(user) = asker(chat, asking) {
        let acted = OperatorActed { by: Arc::clone(&user.who), operator: operator.cloned(), act };
        asking.propose(Event::OperatorActed(Arc::new(acted)));
    }
}

fn found<'a>(asking: &Asking<'a>, name: &str) -> Option<&'a Oper> {
    asking.settings.opers.iter().find(|oper| *oper.name == *name)
}

/// The password was checked.
pub(crate) fn checked(chat: &Chat, asking: &mut Asking<'_>, name: &str, outcome: &Outcome) {
    let Outcome::Checked(right) = outcome else {
        let text = Numeric::RPL_TRYAGAIN.text().into();
        return asking.numeric(Numeric::RPL_TRYAGAIN, ["OPER".into(), text]);
    };
    match (found(asking, name).filter(|_| *right), asking.session.user()) {
        (Some(Oper { name, title, privileges, .. }), Some(user)) => {
            let (name, title) = (Arc::clone(name), Arc::clone(title));
            let operator = Arc::new(Operator { name, title, privileges: *privileges });
            asking.session.wrong_passwords = 0;
            record(chat, asking, Some(&operator.name), Act::Opered);
            asking.propose(Event::Opered { user, operator });
        }
        _ => {
            asking.refuse(Numeric::ERR_PASSWDMISMATCH, []);
            record(chat, asking, None, Act::OperRefused { name: cut(name, NAME_BYTES_MAX).into() });
            asking.spend(Dear::WrongPasswords);
            asking.session.wrong_passwords += 1;
            if asking.session.wrong_passwords >= WRONG_MAX {
                asking.effects.push(Effect::Close("Too many wrong passwords".into()));
            }
        }
    }
}
