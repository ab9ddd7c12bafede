//! Roles: who may give, take, put out and set what, through the commands and deciding again.

use std::sync::Arc;

use crate::event::{Event, ModeChange};
use crate::ids::RoomId;
use crate::permissions::{may_give, may_kick, may_take};
use crate::roles::{Role, Roles};
use crate::scene::Scene;

const TEA: RoomId = RoomId(1);

const DENIED: &str = "asker< 482 #tea You're not channel operator";

#[track_caller]
fn check<const N: usize>(scene: &mut Scene, nick: &str, line: &str, expected: [&str; N]) {
    assert_eq!(scene.asks(nick, line), expected, "{nick}> {line}");
}

/// ann, bob, cyd and dan in #tea, ann its operator.
fn tea() -> Scene {
    let mut scene = Scene::of(["ann", "bob", "cyd", "dan"]);
    scene.all([("ann", "JOIN #tea"), ("bob", "JOIN #tea"), ("cyd", "JOIN #tea"), ("dan", "JOIN #tea")]);
    scene
}

/// Makes these, and no others, the roles of a member, whoever may do that.
fn become_with(scene: &mut Scene, nick: &str, roles: Option<Role>) {
    let (user, room) = (scene.user(nick), scene.chat.room(TEA).unwrap());
    let change = |role: Role| ModeChange {
        set: roles == Some(role),
        mode: role.mode(),
        arg: Some(nick.into()),
        member: Some(user),
        ..ModeChange::default()
    };
    let by = Arc::clone(&scene.chat.user(user).unwrap().who);
    let changes = Role::ALL.map(change).into();
    let event = Event::ModesChanged { room: TEA, basis: room.rules, by, changes };
    scene.happens(event);
    assert_eq!(scene.chat.room(TEA).unwrap().roles(user), roles.map_or(Roles::NONE, Roles::from));
}

const EVERY: [Option<Role>; 6] = [
    None,
    Some(Role::Voice),
    Some(Role::Halfop),
    Some(Role::Operator),
    Some(Role::Admin),
    Some(Role::Founder),
];

#[test]
fn commands_obey_the_table() {
    let mut scene = tea();
    for by in EVERY {
        for of in EVERY {
            become_with(&mut scene, "ann", by);
            become_with(&mut scene, "bob", of);
            let roles = |role: Option<Role>| role.map_or(Roles::NONE, Roles::from);
            let kick = scene.decide("ann", "KICK #tea bob");
            assert_eq!(kick.events.len() == 1, may_kick(roles(by), roles(of)), "{by:?} kicks {of:?}");
            for role in Role::ALL {
                let given = scene.decide("ann", &format!("MODE #tea +{} bob", role.mode()));
                let expected = may_give(roles(by), role) && of != Some(role);
                assert_eq!(given.events.len() == 1, expected, "{by:?} gives {role:?} to {of:?}");
                let taken = scene.decide("ann", &format!("MODE #tea -{} bob", role.mode()));
                let expected = may_take(roles(by), role, roles(of)) && of == Some(role);
                assert_eq!(taken.events.len() == 1, expected, "{by:?} takes {role:?} from {of:?}");
            }
        }
    }
}

#[test]
fn halfops_keep_order_among_ordinary_members_only() {
    let mut scene = tea();
    become_with(&mut scene, "bob", Some(Role::Halfop));
    check(&mut scene, "bob", "MODE #tea +v cyd", ["#tea< bob MODE #tea +v cyd"]);
    check(&mut scene, "bob", "MODE #tea -v cyd", ["#tea< bob MODE #tea -v cyd"]);
    for line in ["MODE #tea -o ann", "MODE #tea +h cyd", "MODE #tea +m", "MODE #tea +b dan", "KICK #tea ann"]
    {
        check(&mut scene, "bob", line, [DENIED]);
    }
    check(&mut scene, "bob", "TOPIC #tea :oolong", ["#tea< bob TOPIC #tea oolong"]);
    check(&mut scene, "bob", "KICK #tea cyd", ["#tea< bob KICK #tea cyd bob", "left #tea"]);
    become_with(&mut scene, "dan", Some(Role::Halfop));
    check(&mut scene, "bob", "KICK #tea dan", [DENIED]);
    check(&mut scene, "bob", "MODE #tea -h bob", ["#tea< bob MODE #tea -h bob"]);
    check(&mut scene, "bob", "MODE #tea +v bob", [DENIED]);
}

#[test]
fn what_is_refused_is_said_once_and_the_rest_is_done() {
    let mut scene = tea();
    become_with(&mut scene, "bob", Some(Role::Halfop));
    check(&mut scene, "bob", "MODE #tea +ovh cyd cyd dan", [DENIED, "#tea< bob MODE #tea +v cyd"]);
    check(
        &mut scene,
        "ann",
        "MODE #tea +qavZ bob bob nobody",
        [DENIED, "asker< 401 nobody No such nick/channel", "asker< 472 Z is an unknown mode to me"],
    );
}

#[test]
fn several_roles_of_a_member_are_all_shown() {
    let mut scene = tea();
    scene.all([("ann", "MODE #tea +hv bob bob"), ("ann", "MODE #tea +v ann")]);
    let lines = scene.asks("cyd", "NAMES #tea");
    assert_eq!(lines[0], "asker< 353 = #tea @+ann!~u@host %+bob!~u@host cyd!~u@host dan!~u@host");
    let lines = scene.asks("cyd", "WHO #tea");
    assert!(lines[0].contains(" ann H@+ "), "{lines:?}");
    let lines = scene.asks("cyd", "WHOIS bob");
    assert!(lines.contains(&"asker< 319 bob %+#tea".to_owned()), "{lines:?}");
    scene.session("cyd").caps = Default::default();
    let lines = scene.asks("cyd", "NAMES #tea");
    assert_eq!(lines[0], "asker< 353 = #tea @ann %bob cyd dan");
}

#[test]
fn a_message_for_a_role_is_for_the_higher_ones_too() {
    let mut scene = tea();
    let said = ["ann (echo)< ann PRIVMSG ~#tea x", "~#tea (echo)< ann PRIVMSG ~#tea x"];
    check(&mut scene, "ann", "PRIVMSG ~#tea :x", said);
    check(&mut scene, "ann", "PRIVMSG %#tea :x", ["%#tea (echo)< ann PRIVMSG %#tea x"]);
    check(&mut scene, "ann", "PRIVMSG @+#tea :x", ["+#tea (echo)< ann PRIVMSG +#tea x"]);
    check(&mut scene, "ann", "PRIVMSG @bob :x", ["asker< 401 @bob No such nick/channel"]);
}

#[test]
fn each_is_put_out_of_a_room_of_their_own() {
    let mut scene = tea();
    scene.all([("ann", "JOIN #cake"), ("bob", "JOIN #cake")]);
    check(
        &mut scene,
        "ann",
        "KICK #tea,#cake,#tea cyd,bob,dan :bye",
        [
            "#tea< ann KICK #tea cyd bye",
            "left #tea",
            "#cake< ann KICK #cake bob bye",
            "left #cake",
            "#tea< ann KICK #tea dan bye",
            "left #tea",
        ],
    );
    check(&mut scene, "ann", "KICK #tea,#cake bob", ["asker< 461 KICK Not enough parameters"]);
    check(&mut scene, "ann", "KICK #none,#none a,b", ["asker< 403 #none No such channel"]);
}

#[test]
fn deciding_again_obeys_the_table() {
    let mut scene = tea();
    become_with(&mut scene, "bob", Some(Role::Admin));
    for line in ["KICK #tea ann", "MODE #tea -o ann", "MODE #tea +v cyd", "MODE #tea +i"] {
        let event = scene.decide("bob", line).events.remove(0);
        become_with(&mut scene, "bob", Some(Role::Halfop));
        let again = scene.chat.redecide(event.clone());
        assert_eq!(again.is_ok(), line.ends_with("+v cyd"), "{line}");
        become_with(&mut scene, "bob", Some(Role::Admin));
        become_with(&mut scene, "ann", Some(Role::Founder));
        let again = scene.chat.redecide(event);
        assert_eq!(again.is_err(), line.ends_with("ann"), "{line}");
        become_with(&mut scene, "ann", Some(Role::Operator));
    }
}
