//! What programs may read and say, by who they are and what the room is.

use super::*;
use crate::event::{AccountRegistered, Keeping, ModeChange};
use crate::scene::Scene;

fn who(nick: &str) -> Arc<Who> {
    Arc::new(Who { nick: nick.into(), user: "~u".into(), host: "h".into(), account: None })
}

fn scene() -> Scene {
    let mut scene = Scene::of([]);
    scene.happens(Event::Opened { name: "#tea".into(), by: who("ada"), common: true });
    scene.happens(Event::AccountRegistered(Arc::new(AccountRegistered {
        account: "ada".into(),
        verifiers: None,
        certificate: None,
        key: None,
        email: None,
        code: None,
        replaces: false,
        invitation: None,
    })));
    scene
}

fn mode(scene: &mut Scene, mode: char, arg: Option<&str>) {
    let room = scene.chat.room_by_name("#tea").unwrap();
    let change = ModeChange { set: true, mode, arg: arg.map(Arc::from), ..ModeChange::default() };
    let event =
        Event::ModesChanged { room: room.id, basis: room.rules, by: who("ada"), changes: vec![change] };
    scene.happens(event);
}

fn guest() -> Program {
    Program::Guest("192.0.2.1".into())
}

fn ada() -> Program {
    Program::Token { account: "ada".into(), bot: None }
}

fn reads(scene: &Scene, program: &Program) -> bool {
    scene.chat.room_for(&Settings::default(), program, "tea").is_some()
}

fn says(scene: &Scene, by: Program, text: &str) -> Result<Arc<Said>, NotSaid> {
    let room = scene.chat.room_by_name("#tea").unwrap().id;
    let saying = Saying { by, room, kind: SayKind::Privmsg, text: text.into() };
    match scene.chat.says(&Settings::default(), &Pending::default(), 1_000, &saying)? {
        Event::Said(said) => Ok(said),
        other => panic!("{other:?}"),
    }
}

#[test]
fn guests_read_what_guests_could_enter() {
    assert!(reads(&scene(), &guest()));
    let closed = Settings { password: Some("sesame".into()), ..Settings::default() };
    assert!(scene().chat.room_for(&closed, &guest(), "#tea").is_none());
    assert!(scene().chat.room_for(&closed, &ada(), "#tea").is_some());
    for (letter, arg, guests, accounts) in [
        ('s', None, false, false),
        ('i', None, false, false),
        ('k', Some("key"), false, false),
        ('R', None, false, true),
        ('b', Some("*!*@192.0.2.1"), false, true),
        ('b', Some("a:ada"), true, false),
        ('m', None, true, true),
    ] {
        let mut scene = scene();
        mode(&mut scene, letter, arg);
        assert_eq!((reads(&scene, &guest()), reads(&scene, &ada())), (guests, accounts), "{letter} {arg:?}");
    }
}

#[test]
fn whose_room_it_is_reads_it_behind_its_locks() {
    let mut scene = scene();
    mode(&mut scene, 's', None);
    mode(&mut scene, 'i', None);
    let room = scene.chat.room_by_name("#tea").unwrap();
    let keeping = Keeping::Founder(Some("ada".into()));
    let event = Event::RoomKept { room: room.id, basis: room.rules, by: who("ada"), keeping };
    scene.happens(event);
    assert!(reads(&scene, &ada()) && !reads(&scene, &guest()));
    assert!(says(&scene, ada(), "hello").is_ok());
}

#[test]
fn what_programs_say_is_said_as_themselves() {
    let scene = scene();
    assert_eq!(says(&scene, guest(), "hello"), Err(NotSaid::NoRoom));
    let said = says(&scene, ada(), "hello\r\n").unwrap();
    assert_eq!((&*said.by.nick, said.by.account.as_deref(), &*said.text), ("ada", Some("ada"), "hello"));
    assert!(said.joins.is_none() && !said.by.is_program());
    let bot = Program::Token { account: "ada".into(), bot: Some("ci".into()) };
    let said = says(&scene, bot, "one\ntwo").unwrap();
    assert_eq!((&*said.by.nick, &*said.text), ("ci/ada", "one\ntwo"));
    assert!(said.by.is_program() && said.joins.is_some());
    let said = says(&scene, Program::Hook("alerts".into()), "fire").unwrap();
    assert_eq!((&*said.by.nick, said.by.account.as_deref()), ("alerts/hook", None));
}

#[test]
fn what_cannot_be_said_is_refused() {
    let mut scene = scene();
    for text in ["", "\n\n", "   ", "\u{1}VERSION\u{1}", "a\0b"] {
        assert!(matches!(says(&scene, ada(), text), Err(NotSaid::Unfit(_))), "{text:?}");
    }
    let long = "x".repeat(5_000);
    assert_eq!(says(&scene, ada(), &long), Err(NotSaid::TooLong { lines: 32, bytes: 4096 }));
    assert!(matches!(says(&scene, ada(), &"x\n".repeat(40)), Err(NotSaid::TooLong { .. })));
    mode(&mut scene, 'm', None);
    assert_eq!(says(&scene, ada(), "hello"), Err(NotSaid::MayNot(Some('m'))));
    assert!(says(&scene, Program::Hook("alerts".into()), "fire").is_ok());
    mode(&mut scene, 'b', Some("alerts/*!*@*"));
    assert_eq!(says(&scene, Program::Hook("alerts".into()), "fire"), Err(NotSaid::MayNot(Some('b'))));
}
