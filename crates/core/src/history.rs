//! History as a question and an answer: what is read, by whom is the driver's business.

use std::sync::Arc;

use chinwag_log::Seq;
use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::names::MsgId;
use smallvec::SmallVec;

use crate::chat::Chat;
use crate::commands::reply::{fail, line, tell};
use crate::effect::Effects;
use crate::event::{Joins, SayKind, Status, Who};
use crate::ids::{Millis, Number, RoomId};
use crate::line::{Command, Line, Meta, Source, Text};

/// A point in a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The position of a message (from its msgid). Need not be in this room any more, nor at all.
    Seq(Seq),
    /// A time; messages of exactly that time are neither before nor after it.
    Time(Millis),
}

/// Which part of a room's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The newest; with an anchor, only what is after it.
    Latest(Option<Anchor>),
    /// The newest before the anchor.
    Before(Anchor),
    /// The oldest after the anchor.
    After(Anchor),
    /// Half before, half after, the anchor itself among them.
    Around(Anchor),
    /// Between two anchors, both left out, beginning at the first one (which may be the later one: then the
    /// newest are taken first). The page is ordered oldest first all the same.
    Between(Anchor, Anchor),
}

impl Part {
    /// The subcommand of CHATHISTORY that asks for it.
    pub fn name(&self) -> &'static str {
        match self {
            Part::Latest(_) => "LATEST",
            Part::Before(_) => "BEFORE",
            Part::After(_) => "AFTER",
            Part::Around(_) => "AROUND",
            Part::Between(..) => "BETWEEN",
        }
    }
}

/// What is asked of a room's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The room.
    pub room: RoomId,
    /// Its name, for the answer.
    pub name: Arc<str>,
    /// Which part.
    pub part: Part,
    /// At most so many messages.
    pub limit: u32,
    /// Nothing before this number (what was said before the room started over stays hidden).
    pub first: Number,
    /// Nothing after this number: the room's head when the question was asked, so that nothing is shown here
    /// that is also on its way live.
    pub last: Number,
    /// The reference of the answer's batch.
    pub batch: Arc<str>,
}

/// A message read from history.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its position in the log (from which its msgid is made).
    pub seq: Seq,
    /// Its number in the room.
    pub number: Number,
    /// When it was said.
    pub at_ms: Millis,
    /// By whom.
    pub by: Arc<Who>,
    /// PRIVMSG or NOTICE.
    pub kind: SayKind,
    /// The text.
    pub text: Arc<str>,
    /// For a message of several lines, see [`Joins`].
    pub joins: Joins,
    /// Client-only tags, as sent.
    pub client_tags: Option<Arc<str>>,
    /// The members it was for, if not for all; history leaves these out.
    pub status: Option<Status>,
}

/// The answer: oldest first.
pub type Page = Vec<Row>;

/// The answer to a question as lines for the asking session: what was said, between the two ends of a batch
/// of type `chathistory` (sessions without `batch` get no ends). Messages for some roles only are left out.
pub fn lines(chat: &Chat, query: &Query, page: Page, effects: &mut Effects) {
    let room = Text::from(&query.name);
    let said = page.into_iter().filter(|row| row.status.is_none()).map(|row| Line {
        source: Source::User(row.by),
        command: Command::Verb(row.kind.verb()),
        params: SmallVec::from_iter([Text::from(&query.name), Text::from(row.text)]),
        meta: Meta {
            at_ms: Some(row.at_ms),
            msgid: Some(MsgId::stored(chat.msgid_key(), row.seq.0)),
            number: row.number,
            client_tags: row.client_tags,
            joins: row.joins,
            ..Meta::default()
        },
        needs: CapSet::default(),
    });
    batched(&query.batch, "chathistory", Some(room), said, effects);
}

/// The answer to a question whose messages could not be read.
pub fn unreadable(query: &Query, effects: &mut Effects) {
    let about = [query.part.name().into(), Text::from(&query.name)];
    fail(effects, "CHATHISTORY", "MESSAGE_ERROR", about, "Messages could not be retrieved");
}

/// Lines as a batch for the asking session.
pub(crate) fn batched(
    batch: &Arc<str>,
    kind: &'static str,
    parameter: Option<Text>,
    lines: impl IntoIterator<Item = Line>,
    effects: &mut Effects,
) {
    let mut needs = CapSet::default();
    needs.insert(Cap::Batch);
    let start = [Text::from(format!("+{batch}")), Text::Static(kind)].into_iter().chain(parameter);
    tell(effects, Line { needs, ..line("BATCH", start) });
    for line in lines {
        let meta = Meta { batch: Some(batch.into()), ..line.meta };
        tell(effects, Line { meta, ..line });
    }
    tell(effects, Line { needs, ..line("BATCH", [Text::from(format!("-{batch}"))]) });
}
