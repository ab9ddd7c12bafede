//! Read marks and metadata: only the latest is kept, and a start knows it.

mod support;

use std::sync::Arc;

use chinwag_archive::DATABASE_FILE;
use chinwag_core::chat::{Chat, Reading};
use chinwag_core::event::{AccountRegistered, Event, MetadataOn, MetadataSet, ReadMarked};
use chinwag_core::ids::{RoomId, UserId};
use chinwag_wire::msgid::MsgIdKey;
use rusqlite::Connection;
use support::{Proposer, folder, opened, store, who};

fn mark(room: u32, to_ms: u64) -> Event {
    Event::ReadMarked(Arc::new(ReadMarked {
        account: Some("Ann".into()),
        user: UserId(1),
        reading: Reading::Room(RoomId(room)),
        target: "#tea".into(),
        to_ms,
        in_place_of: (to_ms == 77).then_some(Reading::Room(RoomId(1))),
    }))
}

#[test]
fn a_reader_who_reads_a_lot_does_not_make_starting_slow() {
    let dir = folder();
    let mut proposer = Proposer::default();
    let mut archive = opened(&dir);
    let account = AccountRegistered {
        account: "Ann".into(),
        verifiers: None,
        certificate: None,
        key: None,
        email: None,
        code: None,
        replaces: false,
        invitation: None,
    };
    let opening = |name: &str| Event::Opened { name: name.into(), by: who("ann"), common: false };
    let mut batch = vec![Event::AccountRegistered(Arc::new(account)), opening("#tea"), opening("#milk")];
    batch.extend((1..=1_000).map(|at_ms| mark(1, at_ms)));
    batch.push(mark(2, 50));
    let batch = batch.into_iter().map(|event| proposer.proposal(event)).collect();
    let entries = store(&mut archive.log, batch);
    let marks = |dir: &tempfile::TempDir| -> i64 {
        let db = Connection::open(dir.path().join(DATABASE_FILE)).expect("opens");
        db.query_row("SELECT count(*) FROM ev WHERE kind = 64", (), |row| row.get(0)).expect("counts")
    };
    assert_eq!(marks(&dir), 2);
    let mut live = Chat::new(MsgIdKey([1, 2]));
    for entry in &entries {
        live.apply(entry, &mut Vec::new());
    }
    let mut restored = Chat::new(MsgIdKey([1, 2]));
    archive.restore(&mut restored).expect("restores");
    assert_eq!(restored.stored_hash(), live.stored_hash());
    let read = &restored.account("ann").expect("registered").marks;
    assert_eq!(read.get(&Reading::Room(RoomId(1))), Some(1_000));
    assert_eq!(read.get(&Reading::Room(RoomId(2))), Some(50));
    // Positions go on where they were, though rows are gone.
    let next = store(&mut archive.log, vec![proposer.say(1, "x"), proposer.proposal(mark(3, 77))]);
    assert_eq!(next[0].seq.0, entries.len() as u64 + 1);
    assert_eq!(marks(&dir), 2, "one went for the new one");
    drop(archive);
    assert!(opened(&dir).restore(&mut Chat::new(MsgIdKey([1, 2]))).is_ok());
}

#[test]
fn a_value_that_changes_all_the_time_does_not_make_starting_slow() {
    let dir = folder();
    let mut proposer = Proposer::default();
    let mut archive = opened(&dir);
    let set = |key: &str, value: Option<&str>, clear: bool| {
        Event::MetadataSet(Arc::new(MetadataSet {
            on: MetadataOn::Room { room: RoomId(1), basis: 0 },
            by: who("ann"),
            answer: None,
            clear,
            changes: if clear { Vec::new() } else { vec![(key.into(), value.map(Into::into))] },
        }))
    };
    let mut batch = vec![Event::Opened { name: "#tea".into(), by: who("ann"), common: false }];
    batch.extend([set("gone", Some("x"), false), set("", None, true)]);
    batch.extend((0..500).map(|n| set("now", Some(&n.to_string()), false)));
    batch.extend([set("old", Some("x"), false), set("old", None, false)]);
    let batch = batch.into_iter().map(|event| proposer.proposal(event)).collect();
    store(&mut archive.log, batch);
    let mut restored = Chat::new(MsgIdKey([1, 2]));
    archive.restore(&mut restored).expect("restores");
    let room = restored.room(RoomId(1)).expect("opened");
    let known: Vec<(&str, &str)> = room.metadata.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(known, [("now", "499")]);
    let db = Connection::open(dir.path().join(DATABASE_FILE)).expect("opens");
    let rows: i64 =
        db.query_row("SELECT count(*) FROM ev WHERE kind = 66", (), |row| row.get(0)).expect("counts");
    assert_eq!(rows, 4, "one for each key, and one for taking everything away");
}
