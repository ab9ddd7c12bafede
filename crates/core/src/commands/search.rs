//! `SEARCH`: looking for what was said, in the rooms that whoever asks may read.
//!
//! Specification: `soju.im/search` (<https://codeberg.org/emersion/soju/src/branch/master/doc/ext/search.md>): attributes as in message tags, and an answer in a
//! batch. What people type is understood as well, and answered in readable lines.

use std::sync::Arc;

use chinwag_log::Seq;
use chinwag_wire::caps::Cap;
use chinwag_wire::message::Message;
use chinwag_wire::names::{MsgId, Opened};
use chinwag_wire::tags::Tags;

use super::chathistory::readable;
use super::deeds::{deny, note, words};
use super::reply::given;
use super::time::stamp;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Room, User, without_action};
use crate::history::{self, Asked, Part, Query};
use crate::line::Text;
use crate::pointed::{Answer, Question};
use crate::search::{Hits, Place, SearchQuery, Unclear, Wanted};

const NAME: &str = "SEARCH";

/// Messages that are found at once when nobody says how many, and at most.
const LIMIT: u32 = 20;
const LIMIT_MAX: u32 = 100;

/// `SEARCH <attributes>`, or `SEARCH <words>`
pub(crate) fn search(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let wanted = match wanted(chat, message) {
        Ok(wanted) if wanted.is_empty() => Err(Unclear("text", "Say what to look for")),
        other => other,
    };
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(Unclear(attribute, why)) => return deny(asking, NAME, "INVALID_PARAMS", [attribute.into()], why),
    };
    let user = asking.session.user().and_then(|user| chat.user(user));
    let Some(user) = user else { return Flow::Done };
    let mut rooms = readable(chat, asking.settings, Some(user));
    if let Some(place) = &wanted.place {
        rooms.retain(|(_, name)| chat.mapping().same(name, place));
        if rooms.is_empty() {
            let text = "There is nothing of that name that you could search";
            return deny(asking, NAME, "INVALID_PARAMS", ["in".into(), given(place)], text);
        }
    }
    let query = SearchQuery {
        places: rooms.iter().map(|(room, _)| Place { room: room.id, first: room.history_from }).collect(),
        terms: wanted.terms.into(),
        from: wanted.from,
        before: wanted.before,
        after: wanted.after,
        limit: wanted.limit.unwrap_or(LIMIT).min(LIMIT_MAX),
    };
    let hits = match asking.learn(Question::Search(query)) {
        Ok(Answer::Search(hits)) => hits,
        Ok(_) => return Flow::Done,
        Err(flow) => return flow,
    };
    let batched = asking.session.caps.contains(Cap::SojuSearch) && asking.session.caps.contains(Cap::Batch);
    if hits.behind > 0 {
        let behind = hits.behind;
        let text =
            format!("{behind} entries are not in the index yet: search again in a moment to miss nothing");
        note(asking, NAME, "INDEX_BEHIND", [behind.to_string().into()], text.into());
    }
    if batched {
        batch(chat, asking, user, &rooms, hits)
    } else {
        tell(chat, asking, &rooms, &hits)
    }
    Flow::Done
}

/// What is looked for: attributes, if the first parameter is such, or words.
fn wanted(chat: &Chat, message: &Message<'_>) -> Result<Wanted, Unclear> {
    const NAMES: [&str; 6] = ["text", "in", "from", "before", "after", "limit"];
    let msgid = |text: &str| match text.parse::<MsgId>().ok()?.open(chat.msgid_key())? {
        Opened::Stored(seq) => Some(Seq(seq)),
        Opened::Passing(_) => None,
    };
    let typed = words(message, 0);
    let first = typed.split_once('=').map_or("", |(name, _)| name);
    if message.params.len() != 1 || !NAMES.contains(&first) {
        return Wanted::parse(&typed, &msgid);
    }
    let mut wanted = Wanted::default();
    for (name, value) in Tags::new(&typed).iter() {
        wanted.attribute(name, &value, &msgid)?;
    }
    Ok(wanted)
}

/// The answer for clients that know its form.
fn batch(chat: &Chat, asking: &mut Asking<'_>, user: &User, rooms: &[(&Room, Arc<str>)], hits: Hits) {
    let batch: Arc<str> = format!("search-{:x}", asking.now_ms).into();
    let queries: Vec<Query> = rooms
        .iter()
        .filter(|(room, _)| hits.hits.iter().any(|hit| hit.room == room.id))
        .map(|(room, name)| {
            let (part, batch) = (Part::Latest(None), Arc::clone(&batch));
            let asked = Asked { part, limit: 0, events: false, clock: false, batch };
            chat.ask_history(user, room, Arc::clone(name), asked)
        })
        .collect();
    let found = hits.hits.into_iter().filter_map(|hit| {
        let query = queries.iter().find(|query| query.room == hit.room)?;
        Some(history::said(chat, query, hit.row))
    });
    let found: Vec<_> = found.collect();
    history::batched(&batch, "soju.im/search", None, found, asking.effects);
}

/// The answer for everybody else: a line a message.
fn tell(chat: &Chat, asking: &mut Asking<'_>, rooms: &[(&Room, Arc<str>)], hits: &Hits) {
    for hit in &hits.hits {
        let Some((_, name)) = rooms.iter().find(|(room, _)| room.id == hit.room) else { continue };
        let row = &hit.row;
        let at = stamp(row.at_ms);
        let at = at.get(..16).unwrap_or_default().replace('T', " ");
        let said = without_action(&row.text).replace('\n', " ");
        let text = format!("{at} [{}] {}: {said}", row.number.0, row.by.nick);
        let msgid = MsgId::stored(chat.msgid_key(), row.seq.0).to_string();
        note(asking, NAME, "HIT", [Text::from(name), msgid.into()], text.into());
    }
    let text = match (hits.hits.len(), hits.more) {
        (0, _) if hits.behind > 0 => "Nothing was found yet".to_owned(),
        (0, _) => "Nothing was found".to_owned(),
        (count, false) => format!("{count} found"),
        (count, true) => format!("The newest {count}; add before:<time> to see older ones"),
    };
    note(asking, NAME, "END", ["*".into()], text.into());
}
