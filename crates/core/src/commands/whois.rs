//! `WHOIS [<server>] <nickname>`: all that may be known of a user.

use chinwag_wire::caps::Cap;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::commands::reply::{Packer, addressee, asker, given, here, room_for_last};
use crate::line::Text;
use crate::metadata;

/// `WHOIS [<server>|<nickname>] <nickname>`
pub(crate) fn whois(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let (target, wanted) = match message.params[..] {
        [wanted] => (None, wanted),
        [target, wanted, ..] => (Some(target), wanted),
        [] => (None, ""),
    };
    if wanted.is_empty() {
        asking.refuse(Numeric::ERR_NONICKNAMEGIVEN, []);
        return Flow::Done;
    }
    if !here(chat, asking, target) {
        return Flow::Done;
    }
    // A list of nicknames is allowed to the client and answered for its first (TARGMAX is 1).
    let first = wanted.split(',').next().unwrap_or(wanted);
    match chat.user_by_nick(first) {
        Some(user) => about(chat, asking, user),
        None => asking.refuse(Numeric::ERR_NOSUCHNICK, [given(first)]),
    }
    asking.numeric(Numeric::RPL_ENDOFWHOIS, [given(wanted), "End of /WHOIS list".into()]);
    Flow::Done
}

fn about(chat: &Chat, asking: &mut Asking<'_>, user: &User) {
    let settings = asking.settings;
    let nick = || Text::from(&user.who.nick);
    let (name, host) = (Text::from(&user.who.user), Text::from(&user.who.host));
    asking.numeric(Numeric::RPL_WHOISUSER, [nick(), name, host, "*".into(), (&user.realname).into()]);
    rooms(chat, asking, user);
    let server = [nick(), (&settings.server).into(), (&settings.description).into()];
    asking.numeric(Numeric::RPL_WHOISSERVER, server);
    if let Some(away) = &user.away {
        asking.numeric(Numeric::RPL_AWAY, [nick(), away.into()]);
    }
    if let Some(account) = &user.who.account {
        asking.numeric(Numeric::RPL_WHOISACCOUNT, [nick(), account.into(), "is logged in as".into()]);
    }
    if let Some(operator) = &user.operator {
        asking.numeric(Numeric::RPL_WHOISOPERATOR, [nick(), (&operator.title).into()]);
    }
    if user.modes.bot {
        asking.refuse(Numeric::RPL_WHOISBOT, [nick()]);
    }
    let operator = asker(chat, asking).is_some_and(|asker| asker.modes.operator);
    if operator && asking.session.user() != Some(user.id) {
        let host = format!("is connecting from {}@{}", user.who.user, user.from.address);
        asking.numeric(Numeric::RPL_WHOISHOST, [nick(), host.into()]);
    }
    if asking.session.user() == Some(user.id) {
        let host = format!("is connecting from {}@{}", user.who.user, asking.session.address);
        asking.numeric(Numeric::RPL_WHOISHOST, [nick(), host.into()]);
        let modes = format!("is using modes {}", user.modes.shown());
        asking.numeric(Numeric::RPL_WHOISMODES, [nick(), modes.into()]);
    }
    if operator || asking.session.user() == Some(user.id) {
        let address = &user.from.address;
        let mask = format!("{}@{address}", user.who.user);
        asking.refuse(Numeric::RPL_WHOISACTUALLY, [nick(), mask.into(), address.into()]);
    }
    if user.from.secure {
        asking.numeric(Numeric::RPL_WHOISSECURE, [nick(), "is using a secure connection".into()]);
    }
    if asking.session.caps.intersects(metadata::TOLD) {
        for (key, value) in chat.metadata_of(user).iter() {
            asking.reply(metadata::whois(nick(), key, value));
        }
    }
    let idle = asking.now_ms.saturating_sub(user.said_ms) / 1000;
    let since = user.signed_on_ms / 1000;
    let times =
        [nick(), idle.to_string().into(), since.to_string().into(), "seconds idle, signon time".into()];
    asking.numeric(Numeric::RPL_WHOISIDLE, times);
}

/// RPL_WHOISCHANNELS: the rooms that the asker may know of. An invisible user's rooms are shown to those who
/// are in them too.
fn rooms(chat: &Chat, asking: &mut Asking<'_>, user: &User) {
    let all = asking.session.caps.contains(Cap::MultiPrefix);
    let viewer = asker(chat, asking).map(|viewer| viewer.id);
    let own = viewer == Some(user.id);
    let shown = |room: &&Room| {
        let inside = viewer.is_some_and(|viewer| room.member(viewer).is_some());
        let open = inside || !(room.modes.secret || user.modes.invisible);
        own || open && viewer.is_some_and(|viewer| room.shows_to(viewer, user.id))
    };
    let who = addressee(chat, asking);
    let between = user.who.nick.len() + " ".len();
    let mut packer = Packer::new(room_for_last(&asking.settings.server, who.as_str(), between));
    let nick = Text::from(&user.who.nick);
    for room in user.rooms.iter().filter_map(|room| chat.room(*room)).filter(shown) {
        let prefix = room.member(user.id).map_or("", |member| member.prefix(all));
        if let Some(text) = packer.word(&[prefix, &room.name]) {
            asking.numeric(Numeric::RPL_WHOISCHANNELS, [nick.clone(), text]);
        }
    }
    if let Some(text) = packer.finish() {
        asking.numeric(Numeric::RPL_WHOISCHANNELS, [nick, text]);
    }
}
