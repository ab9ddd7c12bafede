//! `WHO [<mask> [o][%<fields>[,<token>]]]`: users, one line each.

use chinwag_wire::caps::Cap;
use chinwag_wire::mask;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::commands::reply::{asker, given};
use crate::commands::whox::Fields;
use crate::line::Text;

/// Users that the answer to a mask holds at most. A room is always listed whole.
pub const FOUND_MAX: usize = 500;

/// `WHO [<mask> [o][%<fields>[,<token>]]]`: the members of a room, the user of a nickname, or those whom a mask fits
/// (`*` in nickname, user name, host or real name). With `o` only server operators.
pub(crate) fn who(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let wanted = message.params.first().copied().unwrap_or("*");
    let argument = message.params.get(1).unwrap_or("");
    let flags = argument.split('%').next().unwrap_or("");
    let asked = Asked { operators: flags.contains('o'), fields: Fields::parse(argument) };
    if let Some(viewer) = asker(chat, asking) {
        if let Some(room) = chat.room_by_name(wanted) {
            members(chat, asking, &asked, viewer, room);
        } else if let Some(user) = chat.user_by_nick(wanted) {
            asked.line(asking, user, None);
        } else if !wanted.starts_with('#') {
            found(chat, asking, &asked, viewer, wanted);
        }
    }
    asking.numeric(Numeric::RPL_ENDOFWHO, [given(wanted), "End of WHO list".into()]);
    Flow::Done
}

/// Whom and what a request asks for.
struct Asked<'a> {
    /// Server operators only.
    operators: bool,
    /// The fields of WHOX, or the usual line.
    fields: Option<Fields<'a>>,
}

impl Asked<'_> {
    fn line(&self, asking: &mut Asking<'_>, user: &User, room: Option<&Room>) {
        if self.operators && !user.modes.operator {
            return;
        }
        match &self.fields {
            Some(fields) => fields.line(asking, user, room),
            None => line(asking, user, room),
        }
    }
}

fn found(chat: &Chat, asking: &mut Asking<'_>, asked: &Asked<'_>, viewer: &User, wanted: &str) {
    let pattern = if matches!(wanted, "0" | "") { "*" } else { wanted };
    let visible =
        |user: &&User| !user.modes.invisible || user.id == viewer.id || chat.share_a_room(viewer, user);
    for user in chat.users().filter(|user| fits(pattern, user)).filter(visible).take(FOUND_MAX) {
        asked.line(asking, user, None);
    }
}

fn members(chat: &Chat, asking: &mut Asking<'_>, asked: &Asked<'_>, viewer: &User, room: &Room) {
    if !room.visible_to(viewer.id) {
        return;
    }
    let inside = room.member(viewer.id).is_some();
    for member in &room.members {
        let Some(user) = chat.user(member.user) else { continue };
        if (inside || !user.modes.invisible) && room.sees(viewer.id, member) {
            asked.line(asking, user, Some(room));
        }
    }
}

fn fits(pattern: &str, user: &User) -> bool {
    let who = &user.who;
    [&who.nick, &who.user, &who.host, &user.realname].into_iter().any(|text| mask::glob(pattern, text))
}

/// RPL_WHOREPLY.
fn line(asking: &mut Asking<'_>, user: &User, room: Option<&Room>) {
    let params = [
        room.map_or(Text::Static("*"), |room| Text::from(&room.name)),
        Text::from(&user.who.user),
        Text::from(&user.who.host),
        Text::from(&asking.settings.server),
        Text::from(&user.who.nick),
        flags(asking, user, room),
        Text::from(format!("0 {}", user.realname)),
    ];
    asking.numeric(Numeric::RPL_WHOREPLY, params);
}

/// Here or gone, `*` for a server operator, `B` for a bot, then the roles in the room.
pub(super) fn flags(asking: &Asking<'_>, user: &User, room: Option<&Room>) -> Text {
    let all = asking.session.caps.contains(Cap::MultiPrefix);
    let role = room.and_then(|room| room.member(user.id)).map_or("", |member| member.prefix(all));
    let presence = if user.away.is_some() { "G" } else { "H" };
    let operator = if user.modes.operator { "*" } else { "" };
    let bot = if user.modes.bot { "B" } else { "" };
    match (presence, operator, bot, role) {
        (presence, "", "", "") => Text::Static(presence),
        (presence, operator, bot, role) => Text::from(format!("{presence}{operator}{bot}{role}")),
    }
}
