//! `REGISTER` and `VERIFY`: a new account; `LINK`: one more way into it.
//!
//! Specification: <https://ircv3.net/specs/extensions/account-registration>.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::invitation::CODE_BYTES_MAX;
use crate::accounts::{self, Way};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::work::Secret;

/// `REGISTER <account> {<email> | "*"} <password> [<invitation>]`
pub(crate) fn register(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let [account, email, password, ..] = message.params[..] else {
        asking.refuse(Numeric::ERR_NEEDMOREPARAMS, ["REGISTER".into()]);
        return Flow::Done;
    };
    note_invitation(asking, message.params.get(3));
    accounts::register(chat, asking, Way::Register, account, email, Secret::from(password));
    Flow::Done
}

/// Notes the code of an invitation that came with the rest.
pub(in crate::commands) fn note_invitation(asking: &mut Asking<'_>, code: Option<&str>) {
    if let Some(code) = code.filter(|code| !code.is_empty() && code.len() <= CODE_BYTES_MAX) {
        asking.session.set_invitation(Some(Secret::from(code)));
    }
}

/// `VERIFY <account> <code>`
pub(crate) fn verify(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let [account, code, ..] = message.params[..] else {
        asking.refuse(Numeric::ERR_NEEDMOREPARAMS, ["VERIFY".into()]);
        return Flow::Done;
    };
    accounts::verify(chat, asking, Way::Verify, account, code);
    Flow::Done
}

/// `LINK [<code>]`
pub(crate) fn link(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    match message.params.first() {
        Some(code) if !code.is_empty() => accounts::join(chat, asking, code),
        _ => accounts::make_link(chat, asking),
    }
    Flow::Done
}

/// `LOGOUT`
pub(crate) fn logout(chat: &Chat, asking: &mut Asking<'_>, _message: &Message<'_>) -> Flow {
    if !accounts::log_out(chat, asking) {
        asking.refuse(Numeric::RPL_LOGGEDOUT, ["*".into()]);
    }
    Flow::Done
}
