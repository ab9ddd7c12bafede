//! `LUSERS`: how many are here.

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::answer;
use crate::effect::Effects;
use crate::figures::Figures;
use crate::ids::UserId;
use crate::line::Text;

/// `LUSERS`
pub(crate) fn lusers(chat: &Chat, asking: &mut Asking<'_>, _message: &Message<'_>) -> Flow {
    lines(chat, asking.figures, asking.next_user, asking.effects);
    Flow::Done
}

/// The numbers. `of` is any user of this node: it says who is counted as local.
pub(crate) fn lines(chat: &Chat, figures: &Figures, of: UserId, effects: &mut Effects) {
    let counts = chat.counts();
    let (all, local) = (counts.all(), counts.of_node(of));
    let (users, invisible) = (all.now - counts.invisible(), counts.invisible());
    let there = format!("There are {users} users and {invisible} invisible on {} servers", counts.nodes());
    answer(effects, Numeric::RPL_LUSERCLIENT, [there.into()]);
    answer(
        effects,
        Numeric::RPL_LUSEROP,
        [counts.operators().to_string().into(), "operator(s) online".into()],
    );
    let unknown = Text::from(figures.unregistered.to_string());
    answer(effects, Numeric::RPL_LUSERUNKNOWN, [unknown, "unknown connection(s)".into()]);
    let rooms = Text::from(chat.rooms_alive().len().to_string());
    answer(effects, Numeric::RPL_LUSERCHANNELS, [rooms, "channels formed".into()]);
    let here = format!("I have {} clients and {} servers", local.now, counts.nodes() - 1);
    answer(effects, Numeric::RPL_LUSERME, [here.into()]);
    let text = format!("Current local users {}, max {}", local.now, local.most);
    let now_and_most = [local.now.to_string().into(), local.most.to_string().into(), text.into()];
    answer(effects, Numeric::RPL_LOCALUSERS, now_and_most);
    let text = format!("Current global users {}, max {}", all.now, all.most);
    let now_and_most = [all.now.to_string().into(), all.most.to_string().into(), text.into()];
    answer(effects, Numeric::RPL_GLOBALUSERS, now_and_most);
}
