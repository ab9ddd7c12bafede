//! `WHO [<mask> [o]]`: users, one line each.

use chinwag_wire::caps::Cap;
use chinwag_wire::mask;
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User};
use crate::commands::reply::{asker, given};
use crate::line::Text;

/// Users that the answer to a mask holds at most. A room is always listed whole.
const FOUND_MAX: usize = 500;

/// `WHO [<mask> [o]]`: the members of a room, the user of a nickname, or those whom a mask fits (`*` in
/// nickname, user name, host or real name). With `o` only server operators, of whom there are none.
pub(crate) fn who(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let wanted = message.params.first().copied().unwrap_or("*");
    let operators = message.params.get(1).is_some_and(|flags| flags.contains('o'));
    if let (false, Some(viewer)) = (operators, asker(chat, asking)) {
        if let Some(room) = chat.room_by_name(wanted) {
            members(chat, asking, viewer, room);
        } else if let Some(user) = chat.user_by_nick(wanted) {
            line(asking, user, None);
        } else if !wanted.starts_with('#') {
            let pattern = if wanted == "0" { "*" } else { wanted };
            let visible = |user: &&User| {
                !user.modes.invisible || user.id == viewer.id || chat.share_a_room(viewer, user)
            };
            for user in chat.users().filter(|user| fits(pattern, user)).filter(visible).take(FOUND_MAX) {
                line(asking, user, None);
            }
        }
    }
    asking.numeric(Numeric::RPL_ENDOFWHO, [given(wanted), "End of WHO list".into()]);
    Flow::Done
}

fn members(chat: &Chat, asking: &mut Asking<'_>, viewer: &User, room: &Room) {
    if !room.visible_to(viewer.id) {
        return;
    }
    let inside = room.member(viewer.id).is_some();
    for member in &room.members {
        let Some(user) = chat.user(member.user) else { continue };
        if inside || !user.modes.invisible {
            line(asking, user, Some(room));
        }
    }
}

fn fits(pattern: &str, user: &User) -> bool {
    let who = &user.who;
    [&who.nick, &who.user, &who.host, &user.realname].into_iter().any(|text| mask::glob(pattern, text))
}

/// RPL_WHOREPLY. The flags: here or gone, then the roles in the room.
fn line(asking: &mut Asking<'_>, user: &User, room: Option<&Room>) {
    let all = asking.session.caps.contains(Cap::MultiPrefix);
    let role = room.and_then(|room| room.member(user.id)).map_or("", |member| member.prefix(all));
    let presence = if user.away.is_some() { "G" } else { "H" };
    let flags = match (presence, role) {
        (presence, "") => Text::Static(presence),
        (presence, role) => Text::from(format!("{presence}{role}")),
    };
    let params = [
        room.map_or(Text::Static("*"), |room| Text::from(&room.name)),
        Text::from(&user.who.user),
        Text::from(&user.who.host),
        Text::from(&asking.settings.server),
        Text::from(&user.who.nick),
        flags,
        Text::from(format!("0 {}", user.realname)),
    ];
    asking.numeric(Numeric::RPL_WHOREPLY, params);
}
