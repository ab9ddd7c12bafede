//! History as a question and an answer: what is read, by whom is the driver's business.

use std::sync::Arc;

use chinwag_log::Seq;
use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::names::MsgId;
use chinwag_wire::numeric::Numeric;
use smallvec::SmallVec;

use crate::chat::{Chat, Party, Room, User, happened_line, without_action};
use crate::commands::reply::{fail, line, tell};
use crate::commands::time::stamp;
use crate::effect::Effects;
use crate::event::{Amendment, Event, Joins, SayKind, Status, Who};
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

/// How the answer is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Show {
    /// As it was said, in a batch.
    #[default]
    Said,
    /// The same, and each message with its number also to those who do not see numbers.
    Numbered,
    /// As the messages that the room has pinned: these, by number, and no others.
    Pins(Arc<[Number]>),
}

impl Part {
    /// The points that it is about.
    pub fn anchors(&self) -> impl Iterator<Item = Anchor> + use<> {
        let (one, other) = match self {
            Part::Latest(anchor) => (*anchor, None),
            Part::Before(anchor) | Part::After(anchor) | Part::Around(anchor) => (Some(*anchor), None),
            Part::Between(one, other) => (Some(*one), Some(*other)),
        };
        one.into_iter().chain(other)
    }

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
    /// Whether topics, modes, kicks and kept tags are asked for as well (`draft/event-playback`).
    pub events: bool,
    /// Nothing of those after this position of the log, for the same reason.
    pub until: Seq,
    /// Whether the time is written in front of each text, for those who are told it in no other way.
    pub clock: bool,
    /// For a conversation: how the two are written for whoever asks.
    pub two: Option<Arc<Two>>,
    /// The reference of the answer's batch.
    pub batch: Arc<str>,
    /// How the answer is shown.
    pub show: Show,
}

/// What is asked of a room that somebody may read.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Which part.
    pub part: Part,
    /// At most so many messages.
    pub limit: u32,
    /// Whether other events are wanted as well.
    pub events: bool,
    /// Whether the time is written in front of each text.
    pub clock: bool,
    /// The reference of the answer's batch.
    pub batch: Arc<str>,
}

impl Chat {
    /// The question for the archive. The room is called `name` in the answer.
    pub(crate) fn ask_history(&self, user: &User, room: &Room, name: Arc<str>, asked: Asked) -> Query {
        let Asked { part, limit, events, clock, batch } = asked;
        let two = room.between.as_ref().map(|between| {
            let me = self.party(user);
            let other = between.iter().find(|party| **party != me).unwrap_or(&between[0]);
            let (my_nick, other) = (Arc::clone(&user.who.nick), self.shown_as(other));
            Arc::new(Two { me, my_nick, other })
        });
        let (first, last, until) = (room.history_from, room.head, self.position());
        Query {
            room: room.id,
            name,
            part,
            limit,
            first,
            last,
            events,
            until,
            clock,
            two,
            batch,
            show: Show::Said,
        }
    }
}

/// The two of a conversation, as one of them is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Two {
    /// Whoever asks.
    pub me: Party,
    /// The own nickname.
    pub my_nick: Arc<str>,
    /// The nickname, or the account, of the other one.
    pub other: Arc<str>,
}

impl Query {
    /// To whom something was said, as it is written for whoever asks.
    fn target(&self, by: &Who) -> Text {
        match self.two.as_deref() {
            None => Text::from(&self.name),
            Some(two) if two.me.said(by) => Text::from(&two.other),
            Some(two) => Text::from(&two.my_nick),
        }
    }
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

/// Something else that happened in a room and is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// Its position in the log (from which its msgid is made).
    pub seq: Seq,
    /// When it happened.
    pub at_ms: Millis,
    /// What.
    pub event: Event,
}

/// The answer, each part of it oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What was said.
    pub rows: Vec<Row>,
    /// What else happened, if that was asked for. It counts towards the limit, too.
    pub events: Vec<Happened>,
    /// Nothing that was asked for is left out because of the limit.
    pub end: bool,
    /// The question starts from a message that is none of this room's: nothing was read.
    pub astray: bool,
}

/// Whether an event is one that [`Page::events`] holds.
pub fn is_shown(event: &Event) -> bool {
    match event {
        Event::TopicSet { .. } | Event::ModesChanged { .. } | Event::Kicked { .. } => true,
        Event::Tagged(tagged) => tagged.status.is_none(),
        Event::RoomRenamed { old, .. } => old.is_some(),
        // An edit is shown with the text that the message has now: what it said in between is not for everybody.
        Event::Amended(amended) => {
            amended.status.is_none() && !matches!(amended.what, Amendment::Pinned { .. })
        }
        _ => false,
    }
}

/// The answer to a question as lines for the asking session: what was said, between the two ends of a batch
/// of type `chathistory` (sessions without `batch` get no ends). Messages for some roles only are left out.
pub fn lines(chat: &Chat, query: &Query, page: Page, effects: &mut Effects) {
    if matches!(query.show, Show::Pins(_)) {
        return pinned(query, page, effects);
    }
    if page.astray {
        let about = [query.part.name().into(), Text::from(&query.name)];
        let text = "Messages could not be retrieved: there is no such message here";
        return fail(effects, "CHATHISTORY", "MESSAGE_ERROR", about, text);
    }
    let room = Text::from(&query.name);
    let rows = page.rows.into_iter().filter(|row| row.status.is_none());
    let mut lines: Vec<(Seq, Line)> = rows.map(|row| (row.seq, said(chat, query, row))).collect();
    lines.extend(page.events.into_iter().filter_map(|happened| {
        let mut line = match &happened.event {
            Event::Amended(amended) => chat.amendment(query, amended)?,
            event => happened_line(&query.name, event)?,
        }
        .at(happened.at_ms);
        if let (Some(_), Source::User(by)) = (&query.two, &line.source) {
            line.params[0] = query.target(by);
        }
        line.meta.msgid = Some(MsgId::stored(chat.msgid_key(), happened.seq.0));
        Some((happened.seq, line))
    }));
    lines.sort_by_key(|(seq, _)| *seq);
    let lines = lines.into_iter().map(|(_, line)| line);
    self::page(&query.batch, "chathistory", Some(room), page.end, lines, effects);
}

/// A text with the time in front, in UTC: `[2026-11-21 14:02] hello`.
fn timed(row: &Row) -> String {
    let stamp = stamp(row.at_ms);
    let clock = stamp.get(..16).unwrap_or_default().replace('T', " ");
    match row.text.strip_prefix("\u{1}ACTION ") {
        Some(action) => format!("\u{1}ACTION [{clock}] {action}"),
        None => format!("[{clock}] {}", row.text),
    }
}

/// A message as it was said.
pub(crate) fn said(chat: &Chat, query: &Query, row: Row) -> Line {
    let target = query.target(&row.by);
    let (mut text, mut joins) = (row.text.clone(), row.joins.clone());
    if query.clock {
        text = timed(&row).into();
        let moved = u32::try_from(text.len() - row.text.len()).unwrap_or(0);
        joins = joins.map(|joins| joins.iter().map(|at| at + moved).collect());
    }
    let bot = row.by.is_program();
    Line {
        source: Source::User(row.by),
        command: Command::Verb(row.kind.verb()),
        params: SmallVec::from_iter([target, Text::from(text)]),
        meta: Meta {
            at_ms: Some(row.at_ms),
            msgid: Some(MsgId::stored(chat.msgid_key(), row.seq.0)),
            number: row.number,
            numbered: query.show == Show::Numbered,
            client_tags: row.client_tags,
            joins,
            bot,
            ..Meta::default()
        },
        needs: CapSet::default(),
    }
}

/// The messages that a room has pinned, for whoever asks: as notes, and as numerics to those who know no notes.
fn pinned(query: &Query, page: Page, effects: &mut Effects) {
    let mut notes = CapSet::default();
    notes.insert(Cap::StandardReplies);
    for row in page.rows.into_iter().filter(|row| row.status.is_none()) {
        let number = row.number.0;
        let text = format!("[{number}] {}: {}", row.by.nick, without_action(&row.text));
        let mut plain = Line::numeric(Numeric::RPL_TEXT, [Text::from(&query.name), text.clone().into()]);
        plain.meta.unless = notes;
        let about = ["PINS".into(), "PINNED".into(), Text::from(&query.name), number.to_string().into()];
        tell(effects, Line { needs: notes, ..line("NOTE", about.into_iter().chain([text.into()])) });
        tell(effects, plain);
    }
}

/// The answer to a question whose messages could not be read.
pub fn unreadable(query: &Query, effects: &mut Effects) {
    let about = [query.part.name().into(), Text::from(&query.name)];
    fail(effects, "CHATHISTORY", "MESSAGE_ERROR", about, "Messages could not be retrieved");
}

/// The tag on a batch behind which there is nothing more (<https://ircv3.net/specs/extensions/chathistory>).
const END_TAG: &str = "draft/chathistory-end";

/// Lines as a batch for the asking session.
pub(crate) fn batched(
    batch: &Arc<str>,
    kind: &'static str,
    parameter: Option<Text>,
    lines: impl IntoIterator<Item = Line>,
    effects: &mut Effects,
) {
    page(batch, kind, parameter, false, lines, effects);
}

/// The same for a page of history. `end`: nothing more would come if the session asked on.
pub(crate) fn page(
    batch: &Arc<str>,
    kind: &'static str,
    parameter: Option<Text>,
    end: bool,
    lines: impl IntoIterator<Item = Line>,
    effects: &mut Effects,
) {
    let mut needs = CapSet::default();
    needs.insert(Cap::Batch);
    let start = [Text::from(format!("+{batch}")), Text::Static(kind)].into_iter().chain(parameter);
    let mut start = Line { needs, ..line("BATCH", start) };
    start.meta.client_tags = end.then(|| END_TAG.into());
    tell(effects, start);
    for line in lines {
        let meta = Meta { batch: Some(batch.into()), ..line.meta };
        tell(effects, Line { meta, ..line });
    }
    tell(effects, Line { needs, ..line("BATCH", [Text::from(format!("-{batch}"))]) });
}
