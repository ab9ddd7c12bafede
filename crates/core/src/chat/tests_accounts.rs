//! Accounts as they are applied: a name is given once, and who is logged in follows from what is stored.

use std::sync::Arc;

use super::{Chat, Enforce, Verifiers};
use crate::accounts::Settled;
use crate::effect::{Effect, Effects};
use crate::event::{AccountChange, AccountRegistered, Event, Keeping, Setting, Who};
use crate::ids::SessionKey;
use crate::line::Text;
use crate::roles::Role;
use crate::scene::{KEY, Scene};

fn registered(account: &str, code: Option<&str>) -> Event {
    let verifiers = Verifiers { argon2: "$argon2id$".into(), scram: "SCRAM-SHA-256$".into() };
    Event::AccountRegistered(Arc::new(AccountRegistered {
        account: account.into(),
        verifiers: Some(Arc::new(verifiers)),
        certificate: Some(format!("{account}-print").into()),
        key: None,
        email: None,
        code: code.map(Arc::from),
        replaces: false,
        invitation: None,
    }))
}

fn changed(account: &str, change: AccountChange) -> Event {
    Event::AccountChanged { account: account.into(), change }
}

/// What was sent, as words.
fn lines(effects: &Effects) -> Vec<String> {
    let line = |effect: &Effect| match effect {
        Effect::Send { to, line, .. } => {
            let params: Vec<&str> = line.params.iter().map(Text::as_str).collect();
            format!("{to:?} {:?} {}", line.command, params.join(" "))
        }
        other => format!("{other:?}"),
    };
    effects.iter().map(line).collect()
}

#[test]
fn a_name_is_given_once_whatever_its_case() {
    let mut scene = Scene::of([]);
    scene.happens(registered("Ann", None));
    let before = scene.chat.stored_hash();
    scene.happens(registered("aNN", None));
    assert_eq!(scene.chat.stored_hash(), before);
    assert_eq!(&*scene.chat.account("ANN").unwrap().name, "Ann");
    scene.happens(Event::AccountDropped { account: "ann".into() });
    assert!(scene.chat.account("Ann").is_none() && scene.chat.account_by_certificate("Ann-print").is_none());
    scene.happens(registered("aNN", None));
    assert_eq!(&*scene.chat.account("Ann").unwrap().name, "aNN");
}

#[test]
fn rooms_of_an_account_that_is_no_more_are_not_those_of_whoever_takes_its_name() {
    let mut scene = Scene::of([]);
    let by = Arc::new(Who {
        nick: "ann".into(),
        user: "u".into(),
        host: "host".into(),
        account: Some("ann".into()),
    });
    scene.happens(registered("ann", None));
    scene.happens(registered("bob", None));
    scene.happens(Event::Opened { name: "#tea".into(), by: Arc::clone(&by), common: false });
    let keeps = |scene: &mut Scene, keeping| {
        let room = scene.chat.room_by_name("#tea").expect("it was opened");
        let (room, basis) = (room.id, room.rules);
        scene.happens(Event::RoomKept { room, basis, by: Arc::clone(&by), keeping });
    };
    keeps(&mut scene, Keeping::Founder(Some("ann".into())));
    keeps(&mut scene, Keeping::Role { account: "bob".into(), mode: Some('o') });
    let role =
        |scene: &Scene, account| scene.chat.room_by_name("#tea").and_then(|room| room.kept.role(account));
    assert_eq!((role(&scene, "ann"), role(&scene, "bob")), (Some(Role::Founder), Some(Role::Operator)));
    scene.happens(Event::AccountDropped { account: "bob".into() });
    scene.happens(registered("bob", None));
    assert_eq!((role(&scene, "ann"), role(&scene, "bob")), (Some(Role::Founder), None));
    scene.happens(Event::AccountDropped { account: "ann".into() });
    scene.happens(registered("ann", None));
    assert_eq!(role(&scene, "ann"), None);
}

#[test]
fn a_certificate_proves_one_account() {
    let mut scene = Scene::of([]);
    scene.happens(registered("ann", None));
    scene.happens(registered("bob", None));
    let before = scene.chat.stored_hash();
    scene.happens(changed("bob", AccountChange::CertificateAdded("ann-print".into())));
    scene.happens(changed("bob", AccountChange::CertificateRemoved("ann-print".into())));
    assert_eq!(scene.chat.stored_hash(), before);
    scene.happens(changed("ann", AccountChange::CertificateRemoved("ann-print".into())));
    scene.happens(changed("bob", AccountChange::CertificateAdded("ann-print".into())));
    assert_eq!(&*scene.chat.account_by_certificate("ann-print").unwrap().name, "bob");
}

#[test]
fn every_change_is_in_the_state_and_comes_back_by_replay() {
    let mut scene = Scene::of([]);
    scene.happens(registered("ann", Some("1234")));
    let mut hashes = vec![scene.chat.stored_hash()];
    for change in [
        AccountChange::Password(None),
        AccountChange::CertificateAdded("other".into()),
        AccountChange::Email(Some("ann@example.org".into())),
        AccountChange::Setting(Setting::AlwaysOn(Some(true))),
        AccountChange::Setting(Setting::Multiclient(Some(false))),
        AccountChange::Setting(Setting::Enforce(Some(Enforce::Strict))),
        AccountChange::Setting(Setting::Autoreplay(Some(7))),
        AccountChange::Verified,
    ] {
        scene.happens(changed("ann", change));
        hashes.push(scene.chat.stored_hash());
    }
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count, "each change changes the state");
    let mut other = Chat::new(KEY);
    for entry in &scene.log {
        other.apply(entry, &mut Effects::new());
    }
    assert_eq!(other.stored_hash(), scene.chat.stored_hash());
}

#[test]
fn logging_in_is_told_to_those_in_the_same_rooms() {
    let mut scene = Scene::of(["ann", "bob"]);
    scene.all([("ann", "JOIN #tea"), ("bob", "JOIN #tea")]);
    let (user, account): (_, Arc<str>) = (scene.user("ann"), "Anna".into());
    let logs_in = Event::LoggedIn { user, account: Arc::clone(&account) };
    assert_eq!(
        scene.happens(logs_in.clone()),
        [Effect::Settled(Settled::NoAccount)],
        "there is no such account"
    );
    scene.happens(registered("Anna", Some("1234")));
    assert_eq!(
        scene.happens(logs_in.clone()),
        [Effect::Settled(Settled::NoAccount)],
        "no code has come back"
    );
    scene.happens(changed("anna", AccountChange::Verified));
    assert_eq!(
        lines(&scene.happens(logs_in.clone())),
        [
            "Asker Numeric(900 RPL_LOGGEDIN) ann!~u@host Anna You are now logged in as Anna".to_owned(),
            "Settled(Done)".to_owned(),
            format!("User({user:?}) Verb(\"ACCOUNT\") Anna"),
            format!("Neighbours({user:?}) Verb(\"ACCOUNT\") Anna"),
        ]
    );
    assert_eq!(scene.chat.user(user).unwrap().who.account, Some(account));
    assert_eq!(lines(&scene.happens(logs_in)).len(), 2, "again: nothing is new to others");
    let out = scene.happens(Event::AccountDropped { account: "ANNA".into() });
    assert_eq!(
        lines(&out),
        [
            "Settled(Done)".to_owned(),
            format!("User({user:?}) Numeric(901 RPL_LOGGEDOUT) ann!~u@host You are now logged out"),
            format!("User({user:?}) Verb(\"ACCOUNT\") *"),
            format!("Neighbours({user:?}) Verb(\"ACCOUNT\") *"),
        ]
    );
    assert!(scene.chat.user(user).unwrap().who.account.is_none());
    assert!(scene.happens(Event::LoggedOut { user }).is_empty());
}

#[test]
fn an_account_whose_code_never_came_back_makes_room_only_for_who_waited_for_that() {
    let mut scene = Scene::of([]);
    let replaces = |account| match registered(account, Some("5678")) {
        Event::AccountRegistered(new) => {
            Event::AccountRegistered(Arc::new(AccountRegistered { replaces: true, ..(*new).clone() }))
        }
        other => other,
    };
    scene.happens(registered("ann", Some("1234")));
    assert_eq!(scene.happens(registered("ann", Some("9999"))), [Effect::Settled(Settled::Taken)]);
    assert_eq!(scene.happens(replaces("ann")), [Effect::Settled(Settled::Done)]);
    assert_eq!(scene.chat.account("ann").unwrap().code.as_deref(), Some("5678"));
    scene.happens(changed("ann", AccountChange::Verified));
    assert_eq!(scene.happens(replaces("ann")), [Effect::Settled(Settled::Taken)]);
}

#[test]
fn a_session_shares_a_user_only_while_both_are_of_one_account() {
    let mut scene = Scene::of(["ann"]);
    let user = scene.user("ann");
    scene.happens(registered("ann", None));
    scene.happens(Event::LoggedIn { user, account: "ann".into() });
    let attached = |account: Option<&str>| Event::Attached {
        user,
        account: account.map(Arc::from),
        session: SessionKey(77),
        away: None,
    };
    assert_eq!(scene.happens(attached(None)), [Effect::EntryAgain]);
    assert_eq!(scene.happens(attached(Some("bob"))), [Effect::EntryAgain]);
    // What was refused to be a session of the user takes none away when it ends.
    let ended = Event::Detached { user, session: SessionKey(77), reason: "gone".into(), stays: false };
    assert!(scene.happens(ended).is_empty());
    assert_eq!(scene.chat.user(user).unwrap().sessions, 1);
    assert_eq!(scene.happens(attached(Some("ann"))), [Effect::Registered(user)]);
    assert_eq!(scene.chat.user(user).unwrap().sessions, 2);
}

/// Specification: <https://ircv3.net/specs/extensions/read-marker>
#[test]
fn what_the_owner_of_an_account_has_read_is_kept_with_it() {
    let mut scene = Scene::of(["ann", "bob"]);
    scene.happens(registered("ann", None));
    let user = scene.user("ann");
    scene.happens(Event::LoggedIn { user, account: "ann".into() });
    scene.all([("ann", "JOIN #tea"), ("bob", "JOIN #tea")]);
    let stored = scene.chat.stored_hash();
    let set = "MARKREAD #tea timestamp=1970-01-01T00:00:10.000Z";
    assert_eq!(
        scene.asks("ann", set),
        [
            "asker< MARKREAD #tea timestamp=1970-01-01T00:00:10.000Z",
            "others of ann< MARKREAD #tea timestamp=1970-01-01T00:00:10.000Z",
        ]
    );
    assert_ne!(scene.chat.stored_hash(), stored);
    let stored = scene.chat.stored_hash();
    // A guest's marks are the guest's, and nobody else's.
    assert_eq!(scene.asks("bob", "MARKREAD #tea"), ["asker< MARKREAD #tea *"]);
    scene.asks("bob", "MARKREAD #tea timestamp=1970-01-01T00:00:05.000Z");
    assert_eq!(scene.chat.stored_hash(), stored);
    let nothing = scene.decide("ann", "MARKREAD #tea timestamp=1970-01-01T00:00:09.000Z");
    assert!(nothing.events.is_empty(), "what is behind the mark is not stored");
    // The mark stays with the room when that is renamed, and with the account when its owner leaves.
    scene.all([("ann", "RENAME #tea #coffee"), ("ann", "NICK eve")]);
    let known = ["asker< MARKREAD #coffee timestamp=1970-01-01T00:00:10.000Z"];
    assert_eq!(scene.asks("ann", "MARKREAD #COFFEE"), known);
}

/// Specification: <https://ircv3.net/specs/extensions/metadata>
#[test]
fn what_the_owner_of_an_account_says_to_programs_is_kept_with_it() {
    let mut scene = Scene::of(["ann", "bob"]);
    scene.happens(registered("ann", None));
    let guest = scene.chat.stored_hash();
    scene.all([("bob", "METADATA * SET url :https://bob.example")]);
    assert_eq!(scene.chat.stored_hash(), guest, "a guest's goes with the guest");
    for user in [scene.user("ann"), scene.user("bob")] {
        scene.happens(Event::LoggedIn { user, account: "ann".into() });
    }
    let told = scene.asks("ann", "METADATA * SET url :https://ann.example");
    assert_eq!(told[0], "asker< 761 ann url * https://ann.example");
    assert_eq!(told.len(), 3, "both of its users have it: {told:?}");
    assert_ne!(scene.chat.stored_hash(), guest);
    let bob = scene.chat.user_by_nick("bob").unwrap();
    assert_eq!(&**scene.chat.metadata_of(bob).get("url").unwrap(), "https://ann.example");
    scene.settings.metadata.max_keys = 1;
    let refused = scene.asks("ann", "METADATA * SET more :x");
    assert!(refused[0].starts_with("asker< FAIL METADATA LIMIT_REACHED ann"), "{refused:?}");
    scene.settings.metadata.max_subs = 1;
    let refused = scene.asks("ann", "METADATA * SUB a b");
    assert!(refused[0].starts_with("asker< FAIL METADATA LIMIT_REACHED b 1"), "{refused:?}");
    assert_eq!(refused[1], "asker< 770 a");
}
