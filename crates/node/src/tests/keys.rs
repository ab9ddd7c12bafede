//! SSH keys and codes of LINK: what they prove, whom they let in, and what they make.

use std::sync::Arc;

use chinwag_core::accounts::Verdict;
use chinwag_core::ids::SessionId;
use chinwag_core::keys::{Shown, SshKey};
use chinwag_core::session::Door;
use chinwag_core::settings::{Registration, Settings};
use chinwag_log::memory::{Faults, Memory};

use super::world::World;
use crate::Peer;

/// A key that nobody has, told from others by its last sign.
fn key(sign: char) -> Arc<SshKey> {
    let line =
        format!("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR{sign}f");
    Arc::new(SshKey::parse(&line).expect("a key"))
}

/// A session of somebody who showed a key, and proved that it is theirs.
fn shows(world: &mut World, account: Option<&str>, sign: char) -> SessionId {
    let ssh = Shown { account: account.map(Arc::from), key: Some(key(sign)), claims: account.is_none() };
    let peer = Peer { host: "host".into(), secure: true, exempt: true, ssh: Some(ssh), ..Peer::default() };
    world.node.open(Door::Irc, peer, world.now)
}

/// The same, come in as somebody.
fn comes(world: &mut World, nick: &str, sign: char) -> (SessionId, String) {
    let session = shows(world, None, sign);
    world.say(session, &format!("NICK {nick}\nUSER {nick} 0 * :{nick}"));
    let read = world.read(session);
    (session, read)
}

fn judge(world: &World, name: &str, sign: char) -> Verdict {
    world.node.judge_key(name, Some(&key(sign)), world.now)
}

/// The code in an answer to LINK.
fn code(answer: &str) -> String {
    let code = answer.split("/link ").nth(1).and_then(|rest| rest.split(' ').next());
    code.unwrap_or_else(|| panic!("no code: {answer}")).to_owned()
}

#[test]
fn the_first_key_for_a_free_nickname_makes_an_account() {
    let mut world = World::new();
    assert_eq!(judge(&world, "Ann", '0'), Verdict::Claims);
    let (ann, read) = comes(&mut world, "Ann", '0');
    assert!(read.contains("The nickname Ann is yours now"), "{read}");
    assert!(read.contains(key('0').fingerprint()), "{read}");
    assert!(read.contains(" 900 ") && read.contains(" 001 Ann "), "{read}");
    world.say(ann, "NS KEY LIST");
    let read = world.read(ann);
    assert!(read.contains(&format!("{} ssh-ed25519, added ", key('0').fingerprint())), "{read}");
    assert_eq!(judge(&world, "ann", '0'), Verdict::Proves("Ann".into()));
    let elsewhere = Verdict::Elsewhere { account: "Ann".into(), password: false };
    assert_eq!(judge(&world, "ann", '1'), elsewhere);
    world.say(ann, "NS PASSWD sesame");
    let elsewhere = Verdict::Elsewhere { account: "Ann".into(), password: true };
    assert_eq!(judge(&world, "ANN", '1'), elsewhere);
    // Another key that comes in all the same is not let onto the name.
    let (_, read) = comes(&mut world, "ann", '1');
    assert!(read.contains(" 433 ") && !read.contains(" 001 "), "{read}");
    // The same key has as many accounts as it makes.
    let (_, read) = comes(&mut world, "ann_too", '0');
    assert!(read.contains("The nickname ann_too is yours now"), "{read}");
}

#[test]
fn who_has_proved_an_account_comes_in_as_its_owner() {
    let mut world = World::new();
    let (ann, _) = comes(&mut world, "ann", '0');
    let again = shows(&mut world, Some("ann"), '0');
    world.say(again, "NICK ann\nUSER ann 0 * :ann");
    let read = world.read(again);
    assert!(read.contains(" 001 ann "), "{read}");
    world.say(ann, "NS KEY ADD");
    assert!(world.read(ann).contains("proves your account already"));
    let line = key('2').public().to_owned();
    world.say(ann, &format!("NS KEY ADD {line} ann@laptop"));
    assert!(world.read(ann).contains("is changed"));
    assert_eq!(judge(&world, "ann", '2'), Verdict::Proves("ann".into()));
    world.say(ann, &format!("NS KEY DEL {}", key('2').fingerprint()));
    assert!(matches!(judge(&world, "ann", '2'), Verdict::Elsewhere { .. }));
    world.say(ann, "NS KEY ADD ssh-ed25519 nonsense");
    assert!(world.read(ann).contains("That is no key"));
    // A key of an account that is no more proves nothing.
    world.say(ann, "NS DROP ann");
    let late = shows(&mut world, Some("ann"), '0');
    world.say(late, "NICK late\nUSER late 0 * :late\nNS KEY LIST");
    assert!(world.read(late).contains("Log in first"));
}

#[test]
fn what_is_configured_holds_for_keys() {
    for registration in [Registration::Invite, Registration::Closed] {
        let mut settings = Settings::default();
        settings.accounts.registration = registration;
        let mut world = World::with(settings, Memory::new(1, Faults::default()), 1);
        assert_eq!(judge(&world, "ann", '0'), Verdict::Guest);
        let (_, read) = comes(&mut world, "ann", '0');
        assert!(read.contains(" 001 ann ") && !read.contains(" 900 "), "{read}");
    }
    let settings = Settings { password: Some("door".into()), ..Settings::default() };
    let world = World::with(settings, Memory::new(1, Faults::default()), 1);
    assert!(matches!(judge(&world, "ann", '0'), Verdict::Refused(why) if why.contains("has a password")));
    let mut world = World::new();
    for name in ["NickServ", "chinwag.local", "no spaces", "#room", ""] {
        assert!(matches!(judge(&world, name, '0'), Verdict::Refused(_)), "{name}");
    }
    let _guest = world.irc("bob", "");
    assert!(matches!(judge(&world, "Bob", '0'), Verdict::Refused(why) if why.contains("uses that")));
    comes(&mut world, "paypal", '0');
    // Cyrillic letters that look like Latin ones.
    assert!(matches!(judge(&world, "раураl", '0'), Verdict::Refused(why) if why.contains("paypal")));
}

#[test]
fn who_is_banned_leaves_no_account_behind() {
    let mut settings = with_operator();
    settings.motd = Vec::new();
    let mut world = World::with(settings, Memory::new(1, Faults::default()), 1);
    let boss = world.irc("boss", "");
    world.say(boss, "OPER boss sesame\nUBAN ADD eve!*@* :spam");
    let (_, read) = comes(&mut world, "eve", '0');
    assert!(read.contains("You are banned"), "{read}");
    assert!(world.node.chat().account("eve").is_none());
}

/// Settings with the operator `boss`, whose password is `sesame`.
fn with_operator() -> Settings {
    use chinwag_core::privileges::{Oper, Privileges};
    let verifiers = chinwag_proof::Prover::new(chinwag_proof::Cost::TEST, [1, 2]).hash("sesame");
    let boss = Oper {
        name: "boss".into(),
        verifiers: verifiers.into(),
        title: "runs the tests".into(),
        privileges: Privileges::all(),
    };
    Settings { opers: vec![boss], ..Settings::default() }
}

#[test]
fn a_code_joins_another_session_and_its_key_once() {
    let mut world = World::new();
    let (ann, _) = comes(&mut world, "ann", '0');
    world.say(ann, "LINK");
    let typed = code(&world.read(ann));
    // An IRC session of somebody who is here.
    let guest = world.irc("guest", "");
    world.say(guest, &format!("LINK {typed}"));
    let read = world.read(guest);
    assert!(read.contains(" 900 guest ") && read.contains("NOTE LINK JOINED ann "), "{read}");
    world.say(guest, &format!("LINK {typed}"));
    assert!(world.read(guest).contains("FAIL LINK INVALID_CODE"));
    // Another key, before it comes in, with a code typed as it was drawn.
    world.say(ann, "NS LINK");
    let typed = code(&world.read(ann)).replace('-', "");
    let other = shows(&mut world, None, '1');
    world.say(other, &format!("LINK {typed}\nNICK ann\nUSER ann 0 * :ann"));
    let read = world.read(other);
    assert!(read.contains(" 900 ") && read.contains(" 001 ann "), "{read}");
    assert_eq!(judge(&world, "ann", '1'), Verdict::Proves("ann".into()));
}

#[test]
fn codes_end_and_whoever_guesses_is_disconnected() {
    let mut world = World::new();
    let (ann, _) = comes(&mut world, "ann", '0');
    world.say(ann, "LINK");
    let typed = code(&world.read(ann));
    world.now += 10 * 60 * 1000;
    let bob = world.irc("bob", "");
    world.say(bob, &format!("LINK {typed}"));
    assert!(world.read(bob).contains("FAIL LINK INVALID_CODE"));
    world.say(bob, "LINK");
    assert!(world.read(bob).contains("FAIL LINK ACCOUNT_REQUIRED"));
    for _ in 0..10 {
        world.say(bob, "LINK 0000-0000-0000-0000");
    }
    assert!(world.out.closed.contains(&bob));
    let far = Peer { host: "far".into(), secure: false, ..Peer::default() };
    let far = world.node.open(Door::Irc, far, world.now);
    world.say(far, &format!("LINK {typed}"));
    assert!(world.read(far).contains("FAIL LINK UNACCEPTABLE_PASSWORD"));
}
