//! Server bans: who may set them, whom they put out and keep out, and for how long.

use std::sync::Arc;

use crate::accounts::Verdict;
use crate::event::Event;
use crate::keys::SshKey;
use crate::privileges::{Operator, Privileges};
use crate::scene::Scene;

fn scene() -> Scene {
    let mut scene = Scene::of(["root", "ann", "eve"]);
    opers(&mut scene, "root", Privileges::all());
    scene
}

fn opers(scene: &mut Scene, nick: &str, privileges: Privileges) {
    let operator = Operator { name: nick.into(), title: "".into(), privileges };
    let user = scene.user(nick);
    let _ = scene.happens(Event::Opered { user, operator: Arc::new(operator) });
}

fn text(lines: &[String]) -> String {
    lines.join("\n")
}

#[test]
fn only_server_operators_ban() {
    let mut scene = scene();
    let refused = text(&scene.asks("ann", "UBAN ADD eve!*@*"));
    assert!(refused.contains("481"), "{refused}");
    opers(&mut scene, "ann", Privileges::default());
    let refused = text(&scene.asks("ann", "UBAN ADD eve!*@*"));
    assert!(refused.contains("723 bans"), "{refused}");
    assert!(scene.chat.server_bans(scene.now_ms).next().is_none());
}

#[test]
fn who_is_banned_has_to_go_and_does_not_come_back_until_it_is_over() {
    let mut scene = scene();
    scene.all([("ann", "JOIN #tea"), ("eve", "JOIN #tea")]);
    let done = text(&scene.asks("root", "UBAN ADD eve!*@* 2h :too loud"));
    assert!(
        done.contains("eve!*@* is banned for 2h (too loud); 1 of those who were here had to go"),
        "{done}"
    );
    assert!(done.contains("neighbours< eve QUIT You are banned from this server: too loud"), "{done}");
    assert!(scene.chat.user_by_nick("eve").is_none());
    let list = text(&scene.asks("root", "UBAN LIST"));
    assert!(list.contains("eve!*@* for 2h more, by root: too loud"), "{list}");
    let kept_out = scene.arrives("eve");
    assert!(text(&kept_out).contains("465 You are banned from this server: too loud"), "{kept_out:?}");
    assert!(scene.chat.user_by_nick("eve").is_none());
    scene.now_ms += 2 * 3_600_000;
    let let_in = scene.arrives("eve");
    assert!(scene.chat.user_by_nick("eve").is_some(), "{let_in:?}");
}

#[test]
fn a_ban_is_taken_back_by_what_it_is_shown_as() {
    let mut scene = scene();
    scene.all([("root", "UBAN ADD 192.0.2.9/24 :away with you")]);
    let odd = text(&scene.asks("root", "UBAN DEL 192.0.3.0/24"));
    assert!(odd.contains("192.0.3.0/24 is not banned"), "{odd}");
    let done = text(&scene.asks("root", "UBAN DEL 192.0.2.0/24"));
    assert!(done.contains("192.0.2.0/24 is not banned any more"), "{done}");
    assert!(scene.chat.server_bans(scene.now_ms).next().is_none());
}

#[test]
fn nobody_bans_themselves_and_no_operator_is_put_out() {
    let mut scene = scene();
    let refused = text(&scene.asks("root", "UBAN ADD *!*@host"));
    assert!(refused.contains("would ban you as well"), "{refused}");
    opers(&mut scene, "eve", Privileges::default());
    let done = text(&scene.asks("root", "UBAN ADD eve!*@*"));
    assert!(done.contains("0 of those who were here"), "{done}");
    assert!(scene.chat.user_by_nick("eve").is_some());
}

#[test]
fn a_key_of_the_ssh_door_is_banned_by_its_fingerprint() {
    let mut scene = scene();
    let key = |sign: char| {
        let begin = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR";
        SshKey::parse(&format!("{begin}{sign}f")).expect("a key")
    };
    let (banned, other) = (key('0'), key('1'));
    let judge = |scene: &Scene, key: Option<&SshKey>| match scene.chat.judge_key(
        &scene.settings,
        "zed",
        key,
        scene.now_ms,
    ) {
        Verdict::Refused(why) => Some(why),
        _ => None,
    };
    assert_eq!(judge(&scene, Some(&banned)), None);
    let done = text(&scene.asks("root", &format!("UBAN ADD {} 2h :spam", banned.fingerprint())));
    assert!(done.contains(banned.fingerprint()) && done.contains("2h"), "{done}");
    assert!(judge(&scene, Some(&banned)).is_some_and(|why| why.ends_with("banned from this server: spam")));
    assert_eq!((judge(&scene, Some(&other)), judge(&scene, None)), (None, None));
    let _ = scene.asks("root", &format!("UBAN DEL {}", banned.fingerprint()));
    assert_eq!(judge(&scene, Some(&banned)), None);
}
