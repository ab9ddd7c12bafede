//! Purges and records in the database: what is hidden, what comes back, what is gone for good, and what was done by
//! whom.

mod support;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chinwag_archive::{DATABASE_FILE, Opened};
use chinwag_core::chat::Chat;
use chinwag_core::event::{
    Act, Amended, Amendment, Event, Guard, OperatorActed, Purged, Purging, Said, Status, Who,
};
use chinwag_core::history::{Part, Query, Show};
use chinwag_core::ids::{Number, RoomId, UserId};
use chinwag_core::numbers::Numbers;
use chinwag_core::records::{Records, RecordsQuery, Sift};
use chinwag_core::roles::Role;
use chinwag_log::{Log, Seq};
use chinwag_wire::msgid::MsgIdKey;
use rusqlite::Connection;
use support::{PATIENCE, Proposer, folder, opened, said, store, who};
use tempfile::TempDir;

const TEA: RoomId = RoomId(1);

/// A room in which ann and eve said something by turns: `count` messages at the positions from 2 on.
fn filled(dir: &TempDir, count: u64) -> (Opened, Proposer) {
    let mut opened = opened(dir);
    let mut proposer = Proposer { now_ms: 1_000, ..Proposer::default() };
    let first = proposer.proposal(Event::Opened { name: "#tea".into(), by: who("ann"), common: false });
    store(&mut opened.log, vec![first]);
    let batch = (1..=count).map(|number| {
        proposer.now_ms += 1_000;
        let nick = if number % 2 == 1 { "ann" } else { "eve" };
        let user = UserId(number % 2);
        let message = Said { by: who(nick), user, ..said(1, &format!("secret-{number}-")) };
        proposer.proposal(Event::Said(Arc::new(message)))
    });
    let batch = batch.collect();
    store(&mut opened.log, batch);
    (opened, proposer)
}

fn happens(opened: &mut Opened, proposer: &mut Proposer, event: Event) -> Seq {
    proposer.now_ms += 1_000;
    let proposal = proposer.proposal(event);
    store(&mut opened.log, vec![proposal])[0].seq
}

fn purged(purge: u32, what: Purging) -> Event {
    purged_on(0, purge, what)
}

/// With the room's rules as a chat has them, for what a chat is restored from.
fn purged_on(basis: u32, purge: u32, what: Purging) -> Event {
    Event::Purged(Arc::new(Purged { room: TEA, basis, purge, user: UserId(9), by: who("op"), what }))
}

fn hidden(numbers: &[u64], more: bool) -> Purging {
    Purging::Hidden {
        whom: "eve!*@*".into(),
        since_ms: 0,
        reason: None,
        numbers: numbers.iter().copied().map(Number).collect::<Numbers>(),
        positions: Vec::new(),
        more,
    }
}

fn numbers(opened: &Opened) -> Vec<u64> {
    let query = Query {
        room: TEA,
        name: "#tea".into(),
        part: Part::Latest(None),
        limit: 10_000,
        first: Number(1),
        last: Number(10_000),
        events: false,
        until: Seq(0),
        clock: false,
        two: None,
        batch: "b".into(),
        show: Show::Said,
    };
    opened.reader.page(&query).expect("reads").rows.iter().map(|row| row.number.0).collect()
}

fn sift(opened: &Opened, whom: &str, since_ms: u64, limit: u32) -> (Vec<u64>, bool) {
    let (first, last) = (Number(1), Number(10_000));
    let sift = Sift {
        room: TEA,
        whom: whom.into(),
        mapping: Default::default(),
        span_ms: 1,
        since_ms,
        first,
        last,
        limit,
    };
    let sifted = opened.reader.sift(&sift).expect("reads");
    let counted: u32 = sifted.by.iter().map(|(_, count)| count).sum();
    assert_eq!(counted as usize, sifted.found.len());
    assert!(sifted.found.iter().all(|message| message.seq.0 == message.number.0 + 1 && message.shown));
    (sifted.found.iter().map(|message| message.number.0).collect(), sifted.more)
}

/// Runs a check on messages that the index of places may not have, and then on the same ones when it does.
fn however_placed(dir: &TempDir, opened: Opened, check: impl Fn(&Opened)) {
    check(&opened);
    opened.log.close(PATIENCE).expect("closes");
    check(&support::opened(dir));
}

#[test]
fn whose_messages_are_meant_is_found_however_they_are_placed() {
    let dir = folder();
    let (opened, _) = filled(&dir, 10);
    however_placed(&dir, opened, |opened| {
        assert_eq!(sift(opened, "eve!*@*", 0, 100), (vec![2, 4, 6, 8, 10], false));
        assert_eq!(sift(opened, "eve!*@*", 7_500, 100), (vec![8, 10], false));
        assert_eq!(sift(opened, "*!*@example.org", 0, 3), (vec![8, 9, 10], true));
        assert_eq!(sift(opened, "a:eve", 0, 3), (vec![], false));
        assert_eq!(sift(opened, "~q:no pattern", 0, 3), (vec![], false));
    });
}

#[test]
fn what_is_hidden_is_read_by_nobody_until_it_is_brought_back() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 10);
    // One purge in two events, and another one.
    happens(&mut opened, &mut proposer, purged_on(0, 1, hidden(&[2, 4], true)));
    happens(&mut opened, &mut proposer, purged_on(1, 1, hidden(&[6], false)));
    happens(&mut opened, &mut proposer, purged_on(2, 2, hidden(&[10], false)));
    however_placed(&dir, opened, |opened| {
        assert_eq!(numbers(opened), [1, 3, 5, 7, 8, 9]);
        assert_eq!(sift(opened, "eve!*@*", 0, 100), (vec![8], false));
        // The log has it as it happened.
        let entries = opened.log.read(Seq(2), 1).expect("reads");
        assert!(matches!(&entries[0].event, Event::Said(said) if &*said.text == "secret-2-"), "{entries:?}");
    });
    let mut opened = support::opened(&dir);
    // Of a hidden message, nothing is changed meanwhile.
    let edited = Amended {
        room: TEA,
        basis: 0,
        number: Number(4),
        position: 5,
        of: "eve".into(),
        own: true,
        status: None,
        user: UserId(0),
        by: who("eve"),
        what: Amendment::Edited { text: "other".into() },
        excerpt: None,
        tags: None,
    };
    happens(&mut opened, &mut proposer, Event::Amended(Arc::new(edited)));
    happens(&mut opened, &mut proposer, purged_on(3, 1, Purging::Undone));
    assert_eq!(numbers(&opened), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let entries = opened.log.read(Seq(4), 1).expect("reads");
    assert!(matches!(&entries[0].event, Event::Said(said) if &*said.text == "secret-4-"), "{entries:?}");
    let mut chat = Chat::new(MsgIdKey(opened.meta.msgid_key));
    opened.restore(&mut chat).expect("restores");
    let room = chat.room(TEA).expect("the room");
    let open: Vec<_> = room.purges.open.iter().map(|purge| (purge.purge, purge.numbers.count())).collect();
    assert_eq!((room.purges.made, open), (2, vec![(2, 1)]));
    assert!(room.is_gone(Number(10)) && !room.is_gone(Number(4)));
}

#[test]
fn a_message_for_some_roles_is_hidden_and_brought_back_as_what_it_was() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 1);
    let held = Said { status: Some(Status::To(Role::Operator)), ..said(1, "for operators") };
    happens(&mut opened, &mut proposer, Event::Said(Arc::new(held)));
    happens(&mut opened, &mut proposer, purged(1, hidden(&[1, 2], false)));
    assert!(numbers(&opened).is_empty());
    happens(&mut opened, &mut proposer, purged(1, Purging::Undone));
    assert_eq!(numbers(&opened), [1]);
    let database = Connection::open(dir.path().join(DATABASE_FILE)).expect("opens");
    let kind: i64 =
        database.query_row("SELECT kind FROM ev WHERE number = 2", (), |row| row.get(0)).expect("reads");
    assert_eq!(kind, 3);
}

/// Whether a text is anywhere in the files of a folder.
fn holds(dir: &Path, text: &str) -> bool {
    fs::read_dir(dir).expect("lists").any(|file| {
        let bytes = fs::read(file.expect("a file").path()).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn what_a_final_purge_removed_is_in_no_file_any_more() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 400);
    let eves: Vec<u64> = (1..=200).map(|number| number * 2).collect();
    happens(&mut opened, &mut proposer, purged(1, hidden(&eves, false)));
    assert!(holds(dir.path(), "secret-398-"));
    happens(&mut opened, &mut proposer, purged(1, Purging::Final));
    let until = Instant::now() + Duration::from_secs(20);
    while eves.iter().any(|number| holds(dir.path(), &format!("secret-{number}-"))) {
        assert!(Instant::now() < until, "what was removed is still in a file");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Nothing brings it back, and the rest is there.
    happens(&mut opened, &mut proposer, purged(1, Purging::Undone));
    assert!(holds(dir.path(), "secret-399-"));
    assert_eq!(numbers(&opened).len(), 200);
}

fn records(opened: &Opened, room: Option<RoomId>, before: Option<Seq>, limit: u32) -> Records {
    opened.reader.records(&RecordsQuery { room, before, limit, until: Seq(0) }).expect("reads")
}

#[test]
fn records_are_read_a_page_at_a_time_and_without_a_look_at_the_rest() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 4);
    let by = who("op");
    let redacted = |number: u64, own| {
        Event::Amended(Arc::new(Amended {
            room: TEA,
            basis: 0,
            number: Number(number),
            position: number + 1,
            of: "eve".into(),
            own,
            status: None,
            user: UserId(0),
            by: who("op"),
            what: Amendment::Redacted { reason: Some("\"own\":true".into()) },
            excerpt: None,
            tags: None,
        }))
    };
    let acted = |by: &Arc<Who>, act| {
        Event::OperatorActed(Arc::new(OperatorActed { by: Arc::clone(by), operator: None, act }))
    };
    let guarded = |guard| Event::Guarded { room: TEA, basis: 0, by: who("op"), guard };
    let topic = Event::TopicSet { room: TEA, basis: 0, by: who("op"), topic: "green".into() };
    let mut seqs = Vec::new();
    for event in [
        guarded(Guard::Slow(Some(5))),
        redacted(1, true),
        acted(&by, Act::Opered),
        redacted(2, false),
        topic,
        guarded(Guard::Slow(None)),
        acted(&by, Act::Reread),
    ] {
        seqs.push(happens(&mut opened, &mut proposer, event));
    }
    let found = |records: &Records| records.rows.iter().map(|row| row.seq).collect::<Vec<_>>();
    let all = records(&opened, Some(TEA), None, 10);
    assert_eq!((found(&all), all.end), (vec![seqs[0], seqs[3], seqs[5]], true));
    let page = records(&opened, Some(TEA), None, 2);
    assert_eq!((found(&page), page.end), (vec![seqs[3], seqs[5]], false));
    let page = records(&opened, Some(TEA), Some(seqs[3]), 2);
    assert_eq!((found(&page), page.end), (vec![seqs[0]], true));
    assert!(records(&opened, Some(RoomId(2)), None, 2).rows.is_empty());
    let server = records(&opened, None, None, 1);
    assert_eq!((found(&server), server.end), (vec![seqs[6]], false));
    assert_eq!(found(&records(&opened, None, Some(seqs[6]), 5)), [seqs[2]]);
    drop(opened);
    let database = Connection::open(dir.path().join(DATABASE_FILE)).expect("opens");
    for (index, filter) in [
        (
            "ev_record (room=? AND seq<?)",
            "number IS NULL AND kind IN (19, 20, 22, 24, 28, 29, 30) AND room = 1",
        ),
        ("ev_server_record (seq<?)", "number IS NULL AND kind IN (40, 41, 42)"),
    ] {
        let index_name = index.split(' ').next().unwrap_or_default();
        let plan = format!(
            "EXPLAIN QUERY PLAN SELECT extra FROM ev INDEXED BY {index_name} WHERE {filter} AND seq < 9
             ORDER BY seq DESC LIMIT 20"
        );
        let mut statement = database.prepare(&plan).expect("prepares");
        let plan = statement.query_map((), |row| row.get(3)).expect("explains");
        let plan: Vec<String> = plan.map(|row| row.expect("reads")).collect();
        assert!(plan.len() == 1 && plan[0].contains(index), "{plan:?}");
    }
}

/// What the fourth version of the tables had otherwise.
const VERSION_4: &str = "
DROP INDEX ev_record;
DROP INDEX ev_server_record;
DROP INDEX ev_other;
CREATE INDEX ev_other ON ev(seq) WHERE number IS NULL AND kind NOT IN (21, 23, 25);
DELETE FROM place;
ALTER TABLE place DROP COLUMN count;
DROP TABLE expired;
DROP TABLE erase;
DROP TABLE erase_sender;
INSERT INTO place SELECT room, number, seq FROM ev WHERE number IS NOT NULL;
PRAGMA user_version = 4;
";

#[test]
fn a_database_of_the_fourth_version_is_brought_up_to_date() {
    let dir = folder();
    let (mut opened, mut proposer) = filled(&dir, 4);
    let by = who("op");
    let guard = Event::Guarded { room: TEA, basis: 0, by, guard: Guard::Slow(Some(5)) };
    let seq = happens(&mut opened, &mut proposer, guard);
    opened.log.close(PATIENCE).expect("closes");
    let file = dir.path().join(DATABASE_FILE);
    Connection::open(&file).and_then(|database| database.execute_batch(VERSION_4)).expect("goes back");
    let mut opened = support::opened(&dir);
    let found = records(&opened, Some(TEA), None, 10);
    assert_eq!(found.rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [seq]);
    let mut chat = Chat::new(MsgIdKey(opened.meta.msgid_key));
    opened.restore(&mut chat).expect("restores");
    assert_eq!(chat.room(TEA).and_then(|room| room.guards.slow_s), Some(5));
    happens(&mut opened, &mut proposer, purged(1, hidden(&[1], false)));
    assert_eq!(numbers(&opened), [2, 3, 4]);
}
