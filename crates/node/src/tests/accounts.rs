//! Accounts as they are configured, work that is waited for, and what happens when it is not waited for.

use std::sync::Arc;

use chinwag_core::event::{AccountChange, Event};
use chinwag_core::ids::SessionId;
use chinwag_core::privileges::{Operator, Privileges};
use chinwag_core::session::Door;
use chinwag_core::settings::{AccountRules, Registration, Settings};
use chinwag_log::memory::{Faults, Memory};

use super::world::World;
use crate::proposals::Behalf;
use crate::{Peer, Received};

/// `\0ann\0sesame`
const SESAME: &str = "AUTHENTICATE PLAIN\nAUTHENTICATE AGFubgBzZXNhbWU=";

fn world(change: impl FnOnce(&mut AccountRules)) -> World {
    let mut settings = Settings::default();
    change(&mut settings.accounts);
    World::with(settings, Memory::new(1, Faults::default()), 1)
}

/// Asks, and compares the beginnings of the lines that come back.
#[track_caller]
fn check(world: &mut World, session: SessionId, asked: &str, expected: &[&str]) {
    world.say(session, asked);
    let lines = world.lines(session);
    let fits = lines.len() == expected.len()
        && lines
            .iter()
            .zip(expected)
            .all(|(line, start)| line.strip_prefix(":chinwag.local ").unwrap_or(line).starts_with(start));
    assert!(fits, "{asked}: {lines:#?}, not {expected:#?}");
}

fn open(world: &mut World, peer: Peer) -> SessionId {
    world.node.open(Door::Irc, peer, world.now)
}

#[test]
fn where_a_mail_address_is_needed_a_code_has_to_come_back() {
    let mut world = world(|rules| rules.require_email = true);
    let ann = world.irc("ann", "");
    world.say(ann, "CAP LS 302");
    assert!(world.read(ann).contains("draft/account-registration=before-connect,email-required "));
    check(&mut world, ann, "REGISTER * * sesame", &["FAIL REGISTER INVALID_EMAIL ann :"]);
    check(&mut world, ann, "REGISTER * a@b sesame", &["REGISTER VERIFICATION_REQUIRED ann :"]);
    let letter = world.node.take_letters().pop().expect("a code is sent");
    assert_eq!((&*letter.to, &*letter.account), ("a@b", "ann"));
    assert!(!format!("{letter:?}").contains(&*letter.code));
    check(&mut world, ann, "REGISTER * a@b sesame", &["FAIL REGISTER ACCOUNT_EXISTS ann :"]);
    check(&mut world, ann, SESAME, &["AUTHENTICATE +", "904 ann :"]);
    check(&mut world, ann, "VERIFY ann 1234", &["FAIL VERIFY INVALID_CODE ann :"]);
    let (verify, code) = (format!("VERIFY ann {}", letter.code), letter.code);
    world.now += 25 * 60 * 60 * 1000;
    check(&mut world, ann, &verify, &["FAIL VERIFY INVALID_CODE ann :"]);
    // The name is free again for whoever wants it now, with another code.
    check(&mut world, ann, "REGISTER * a@b sesame", &["REGISTER VERIFICATION_REQUIRED ann :"]);
    let letter = world.node.take_letters().pop().expect("another code is sent");
    assert_ne!(letter.code, code);
    let verify = format!("VERIFY ann {}", letter.code);
    check(&mut world, ann, &verify, &["VERIFY SUCCESS ann :", "900 ann ann!~ann@host ann :"]);
}

#[test]
fn where_registration_is_not_for_everybody_it_is_refused_and_not_offered() {
    let mut closed = world(|rules| rules.registration = Registration::Closed);
    let ann = closed.irc("ann", "");
    closed.say(ann, "CAP LS 302");
    assert!(!closed.read(ann).contains("account-registration"));
    check(&mut closed, ann, "REGISTER * * sesame", &["FAIL REGISTER TEMPORARILY_UNAVAILABLE * :"]);
    let mut world = world(|rules| rules.enabled = false);
    let ann = world.irc("ann", "");
    check(&mut world, ann, "AUTHENTICATE PLAIN", &["904 ann :"]);
    check(&mut world, ann, "CAP REQ :sasl", &["CAP ann NAK :sasl"]);
}

/// A server operator's invitation: its code.
fn invited(world: &mut World, boss: SessionId, terms: &str) -> String {
    world.say(boss, &format!("NS INVITE {terms}"));
    let said = world.read(boss);
    let code = said.split("The code is ").nth(1).and_then(|rest| rest.split(' ').next());
    code.unwrap_or_else(|| panic!("no code: {said}")).to_owned()
}

#[test]
fn who_was_invited_makes_an_account() {
    let mut world = world(|rules| rules.registration = Registration::Invite);
    let boss = world.irc("boss", "");
    world.say(boss, "NS INVITE");
    assert!(world.read(boss).contains(" 481 boss "), "that is for operators");
    let user = world.node.chat().user_by_nick("boss").expect("boss is here").id;
    let operator = Operator { name: "boss".into(), title: "".into(), privileges: Privileges::all() };
    world.node.propose(Event::Opered { user, operator: Arc::new(operator) }, Behalf::NODE);
    world.turn();
    let _ = world.read(boss);

    let ann = world.irc("ann", "");
    world.say(ann, "CAP LS 302");
    assert!(world.read(ann).contains("draft/account-registration="));
    check(&mut world, ann, "REGISTER * * sesame", &["FAIL REGISTER INVITATION_REQUIRED ann :"]);
    // A guess is told so at once, and counts as a wrong password.
    check(&mut world, ann, "INVITATION guessed", &["FAIL INVITATION INVITATION_INVALID :"]);
    check(&mut world, ann, "REGISTER * * sesame guessed", &["FAIL REGISTER INVITATION_INVALID ann :"]);
    let code = invited(&mut world, boss, "1 2h");
    world.say(boss, "NS INVITE LIST");
    let list = world.read(boss);
    assert!(list.contains(": 1 uses, for 2h more, by boss") && !list.contains(&code), "{list}");
    let spoken = code.replace('-', " ").to_uppercase();
    check(&mut world, ann, &format!("INVITATION {spoken}"), &["304 ann :Your invitation is noted"]);
    let done = ["REGISTER SUCCESS ann :", "900 ann ann!~ann@host ann :"];
    check(&mut world, ann, "REGISTER * * sesame", &done);
    // Used up.
    let bob = world.irc("bob", "");
    check(&mut world, bob, &format!("REGISTER * * pass {code}"), &["FAIL REGISTER INVITATION_INVALID bob :"]);
    // For some accounts, by every way; and no longer than it was made for.
    let code = invited(&mut world, boss, "2 1h");
    world.say(bob, &format!("NS REGISTER word * {code}"));
    assert!(world.read(bob).contains("The account bob is registered."));
    world.now += 2 * 60 * 60 * 1000;
    let cy = world.irc("cy", "");
    check(&mut world, cy, &format!("REGISTER * * word {code}"), &["FAIL REGISTER INVITATION_INVALID cy :"]);
    // Taken back.
    let code = invited(&mut world, boss, "5");
    world.say(boss, "NS INVITE LIST");
    let list = world.read(boss);
    let name = list.split(": 5 uses").next().and_then(|rest| rest.rsplit(':').next()).expect("it is listed");
    world.say(boss, &format!("NS INVITE DEL {name}"));
    assert!(world.read(boss).contains("holds no more"));
    check(&mut world, cy, &format!("REGISTER * * word {code}"), &["FAIL REGISTER INVITATION_INVALID cy :"]);
}

#[test]
fn an_invitation_to_a_room_may_also_make_an_account() {
    let mut world = world(|rules| rules.registration = Registration::Invite);
    let boss = world.irc("boss", "standard-replies");
    let user = world.node.chat().user_by_nick("boss").expect("boss is here").id;
    let operator = Operator { name: "boss".into(), title: "".into(), privileges: Privileges::all() };
    world.node.propose(Event::Opered { user, operator: Arc::new(operator) }, Behalf::NODE);
    world.turn();
    world.say(boss, "JOIN #tea");
    world.say(boss, "MODE #tea +i");
    let _ = world.read(boss);
    world.say(boss, "INVITATION ADD #tea 2 1h account");
    let said = world.read(boss);
    let code =
        said.split("The code is ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a code").to_owned();
    let ann = world.irc("ann", "standard-replies");
    world.say(ann, &format!("INVITATION {code}"));
    let said = world.read(ann);
    assert!(said.contains(" JOIN #tea") && said.contains("NOTE INVITATION NOTED"), "{said}");
    let done = ["REGISTER SUCCESS ann :", "900 ann ann!~ann@host ann :"];
    check(&mut world, ann, "REGISTER * * sesame", &done);
    // Whoever came with an account comes again at no cost; nobody else does.
    for _ in 0..3 {
        world.say(ann, "PART #tea");
        world.say(ann, &format!("INVITATION {code}"));
        assert!(world.read(ann).contains(" JOIN #tea"));
    }
    let bob = world.irc("bob", "standard-replies");
    world.say(bob, &format!("INVITATION {code}"));
    assert!(world.read(bob).contains("FAIL INVITATION INVITATION_INVALID"));
    world.say(boss, "INVITATION LIST #tea");
    let list = world.read(boss);
    assert!(list.contains("1: ") && !list.contains(&code), "{list}");
}

#[test]
fn before_connect_is_as_configured() {
    let mut world = world(|rules| rules.before_connect = false);
    let ann = world.open(Door::Irc);
    check(
        &mut world,
        ann,
        "NICK ann\nREGISTER * * sesame",
        &["FAIL REGISTER COMPLETE_CONNECTION_REQUIRED * :"],
    );
    check(&mut world, ann, "VERIFY ann 1234", &["FAIL VERIFY COMPLETE_CONNECTION_REQUIRED ann :"]);
}

#[test]
fn passwords_do_not_cross_a_network_for_everybody_to_read() {
    let mut world = world(|_| {});
    let far = Peer { host: "far".into(), secure: false, ..Peer::default() };
    let bob = open(&mut world, far.clone());
    world.say(bob, "CAP LS 302\nNICK bob\nUSER bob 0 * :bob");
    assert!(world.read(bob).contains(" sasl=SCRAM-SHA-256 "));
    check(&mut world, bob, "AUTHENTICATE PLAIN", &["908 * SCRAM-SHA-256 :", "904 * :"]);
    check(&mut world, bob, "REGISTER * * sesame", &["FAIL REGISTER UNACCEPTABLE_PASSWORD * :"]);
    let mut world = self::world(|rules| rules.cleartext_passwords = true);
    let bob = open(&mut world, far);
    check(&mut world, bob, "AUTHENTICATE PLAIN", &["AUTHENTICATE +"]);
}

#[test]
fn a_certificate_proves_the_account_that_it_was_added_to() {
    let mut world = world(|_| {});
    let ann = world.irc("ann", "");
    check(&mut world, ann, "REGISTER * * sesame", &["REGISTER SUCCESS ann :", "900 ann "]);
    let shown =
        Peer { host: "host".into(), secure: true, certificate: Some("ab12".into()), ..Peer::default() };
    let bob = open(&mut world, shown);
    world.say(bob, "CAP LS 302");
    assert!(world.read(bob).contains(" sasl=PLAIN,SCRAM-SHA-256,EXTERNAL "));
    check(&mut world, bob, "AUTHENTICATE EXTERNAL\nAUTHENTICATE +", &["AUTHENTICATE +", "904 * :"]);
    let change = AccountChange::CertificateAdded("ab12".into());
    world.node.propose(Event::AccountChanged { account: "ann".into(), change }, Behalf::NODE);
    world.turn();
    // The name of somebody else, then one's own.
    check(&mut world, bob, "AUTHENTICATE EXTERNAL\nAUTHENTICATE Ym9i", &["AUTHENTICATE +", "904 * :"]);
    let success = ["AUTHENTICATE +", "900 * *!*@host ann :", "903 * :"];
    check(&mut world, bob, "AUTHENTICATE EXTERNAL\nAUTHENTICATE YW5u", &success);
    check(&mut world, bob, "AUTHENTICATE EXTERNAL\nAUTHENTICATE +", &success);
}

#[test]
fn a_certificate_that_was_shown_on_registering_proves_the_account() {
    let mut world = world(|_| {});
    let shown =
        || Peer { host: "host".into(), certificate: Some("ab12".into()), secure: true, ..Peer::default() };
    let (ann, bob) = (open(&mut world, shown()), open(&mut world, shown()));
    check(&mut world, ann, "NICK ann\nREGISTER * * sesame", &["REGISTER SUCCESS ann :", "900 * "]);
    // Somebody else with the same certificate gets an account, but not by it.
    check(&mut world, bob, "NICK bob\nREGISTER * * sesame", &["REGISTER SUCCESS bob :", "900 * "]);
    let success = ["AUTHENTICATE +", "900 * bob!*@host ann :", "903 * :"];
    check(&mut world, bob, "AUTHENTICATE EXTERNAL\nAUTHENTICATE +", &success);
}

#[test]
fn one_connection_does_not_make_accounts_without_end() {
    let mut world = world(|_| {});
    let ann = world.irc("a0", "");
    for n in 0..3 {
        world.say(ann, &format!("NICK a{n}\nREGISTER * * sesame\nLOGOUT"));
        assert!(world.read(ann).contains(" REGISTER SUCCESS "), "{n}");
    }
    check(&mut world, ann, "NICK a3", &[":a2!~a0@host NICK a3"]);
    check(&mut world, ann, "REGISTER * * sesame", &["FAIL REGISTER TEMPORARILY_UNAVAILABLE * :"]);
}

#[test]
fn who_waits_for_us_is_not_too_slow() {
    let mut world = world(|_| {});
    let ann = world.open(Door::Irc);
    world.hold_work = true;
    world.say(ann, "NICK ann\nUSER ann 0 * :ann\nCAP REQ :sasl");
    let bob = world.open(Door::Irc);
    world.say(bob, "NICK bob\nREGISTER * * sesame");
    world.now += 70_000;
    world.node.tick(world.now);
    world.hold_work = false;
    world.turn();
    assert!(world.read(bob).contains(" REGISTER SUCCESS "));
    world.node.tick(world.now + 59_000);
    world.turn();
    assert_eq!(world.read(bob), "");
    world.node.tick(world.now + 61_000);
    world.turn();
    assert!(world.read(bob).contains("ERROR :Registration took longer"));
}

#[test]
fn what_comes_behind_a_password_waits_for_it_and_nobody_else_does() {
    let mut world = world(|_| {});
    let (ann, bob) = (world.irc("ann", ""), world.irc("bob", ""));
    world.hold_work = true;
    check(&mut world, ann, "REGISTER * * sesame\nPING 1", &[]);
    check(&mut world, bob, "PING 2", &["PONG chinwag.local :2"]);
    world.hold_work = false;
    world.turn();
    let lines = world.lines(ann);
    assert!(lines[0].contains(" REGISTER SUCCESS ") && lines[1].contains(" 900 "), "{lines:?}");
    assert!(lines[2].ends_with(":1") && lines.len() == 3, "{lines:?}");
}

#[test]
fn who_has_gone_gets_no_answer_and_too_much_to_do_is_said() {
    let mut world = world(|_| {});
    let (ann, bob) = (world.irc("ann", ""), world.irc("bob", ""));
    world.hold_work = true;
    world.say(ann, "REGISTER * * sesame");
    world.say(bob, "REGISTER * * sesame");
    world.node.closed(ann, "gone", world.now);
    let work = world.node.take_work();
    for work in work {
        world.node.worked(work.id, chinwag_core::work::Outcome::Busy, world.now);
    }
    world.turn();
    assert!(world.read(bob).contains(" FAIL REGISTER TEMPORARILY_UNAVAILABLE "));
    assert!(world.node.chat().account("ann").is_none());
    check(&mut world, bob, SESAME, &["AUTHENTICATE +"]);
    for work in world.node.take_work() {
        world.node.worked(work.id, chinwag_core::work::Outcome::Busy, world.now);
    }
    world.turn();
    let lines = world.lines(bob);
    assert!(
        lines.len() == 1 && lines[0].contains(" 904 bob :") && lines[0].contains("try again"),
        "{lines:?}"
    );
}

#[test]
fn of_two_who_want_a_name_at_once_one_gets_it() {
    let mut world = world(|_| {});
    let (one, other) = (world.open(Door::Irc), world.open(Door::Irc));
    world.hold_work = true;
    world.say(one, "NICK ann\nREGISTER * * sesame");
    world.say(other, "NICK Ann\nREGISTER * * millet");
    world.hold_work = false;
    world.turn();
    let (one, other) = (world.read(one), world.read(other));
    assert!(one.contains(" REGISTER SUCCESS ann ") && !one.contains("FAIL"), "{one}");
    assert!(other.contains(" FAIL REGISTER ACCOUNT_EXISTS Ann ") && !other.contains(" 900 "), "{other}");
}

#[test]
fn a_labelled_registration_is_one_batch() {
    let mut world = world(|_| {});
    let ann = world.irc("ann", "batch labeled-response");
    world.say(ann, "@label=r REGISTER * * sesame");
    let lines = world.lines(ann);
    assert!(lines[0].starts_with("@label=r :chinwag.local BATCH +"), "{lines:?}");
    assert!(lines[1].starts_with("@batch=") && lines[1].contains(" REGISTER SUCCESS "), "{lines:?}");
    assert!(lines[2].starts_with("@batch=") && lines[2].contains(" 900 ann "), "{lines:?}");
    assert!(lines[3].contains(" BATCH -") && lines.len() == 4, "{lines:?}");
}

#[test]
fn who_shares_a_nickname_does_not_take_it_to_another_account() {
    let mut world = world(|_| {});
    let bob = world.irc("bob", "");
    check(&mut world, bob, "REGISTER * * sesame", &["REGISTER SUCCESS bob :", "900 bob "]);
    let ann = world.irc("ann", "");
    check(&mut world, ann, "REGISTER * * sesame", &["REGISTER SUCCESS ann :", "900 ann "]);
    let phone = world.open(Door::Irc);
    world.say(phone, &format!("{SESAME}\nNICK ann\nUSER ann 0 * :ann"));
    assert!(world.read(phone).contains(" 001 ann "));
    // \0bob\0sesame
    let other = "AUTHENTICATE PLAIN\nAUTHENTICATE AGJvYgBzZXNhbWU=";
    check(&mut world, phone, other, &["AUTHENTICATE +", "907 ann :"]);
    check(&mut world, ann, "QUIT", &[":ann!~ann@host QUIT :Quit", "ERROR :Quit"]);
    check(&mut world, phone, other, &["AUTHENTICATE +", "900 ann ann!~ann@host bob :", "903 ann :"]);
}

/// It used to overtake what the same user had just said by another connection.
#[test]
fn a_pong_leaves_after_what_its_user_asked_for_by_another_session() {
    let mut world = world(|_| {});
    let (ann, bob) = (world.irc("ann", ""), world.irc("bob", ""));
    check(&mut world, ann, "REGISTER * * sesame", &["REGISTER SUCCESS ann :", "900 ann "]);
    let phone = world.open(Door::Irc);
    world.say(phone, &format!("{SESAME}\nCAP REQ echo-message\nCAP END\nNICK ann\nUSER ann 0 * :ann"));
    assert!(world.read(phone).contains(" 001 ann "));
    world.log.hold();
    world.say(ann, "PRIVMSG bob :hi");
    assert_eq!(world.send(phone, "PING p\r\n"), Received::Wait);
    world.turn();
    assert_eq!((world.read(phone), world.read(bob)), (String::new(), String::new()));
    world.log.release();
    check(
        &mut world,
        phone,
        "PING q",
        &[":ann!~ann@host PRIVMSG bob :hi", "PONG chinwag.local :p", "PONG chinwag.local :q"],
    );
}

#[test]
fn a_session_whose_user_goes_while_it_comes_in_comes_in_all_the_same() {
    let mut world = world(|_| {});
    let ann = world.irc("ann", "");
    check(&mut world, ann, "REGISTER * * sesame", &["REGISTER SUCCESS ann :", "900 ann "]);
    let phone = world.open(Door::Irc);
    world.say(phone, SESAME);
    world.read(phone);
    world.log.hold();
    world.say(ann, "QUIT");
    world.say(phone, "NICK ann\nUSER ann 0 * :ann");
    world.log.release();
    world.turn();
    let lines = world.read(phone);
    assert!(lines.contains(" 001 ann ") && !lines.contains(" 433 "), "{lines}");
    assert_eq!(world.node.chat().user_by_nick("ann").expect("who came in").sessions, 1);
    check(&mut world, phone, "PING x", &["PONG chinwag.local :x"]);
}
