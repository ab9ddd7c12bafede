//! Which role may do what in a room: one table, read by the commands before they propose something and again
//! when something is decided anew.
//!
//! Specification: <https://modern.ircdocs.horse/#channel-membership-prefixes>

use crate::roles::{Role, Roles};

/// Something that not every member may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Being heard by everybody in a room that is moderated (`m`, `M`, `R`, `U`) or that bans the speaker.
    Speak,
    /// Seeing all members of an auditorium (`u`), and being seen by all.
    BeSeen,
    /// Setting the topic where it is protected (`t`).
    SetTopic,
    /// Giving the room another name (`RENAME`).
    Rename,
    /// Saying something for somebody elsewhere (`RELAYMSG`).
    Relay,
    /// Speaking as somebody made up, where that is for operators only (`NPC`, `SCENE`).
    Play,
    /// Setting what the room says of itself to programs (`METADATA`).
    SetMetadata,
    /// Inviting somebody past the room's locks; where it is closed (`i`), inviting at all.
    Invite,
    /// Setting or unsetting a mode of the room that is no role; this letter.
    SetMode(char),
    /// Reading a list of the room: this letter.
    ReadList(char),
    /// Deleting what others said.
    Redact,
    /// Hiding many messages at once (`PURGE`).
    Purge,
    /// Pinning messages.
    Pin,
    /// Seeing how a message read before it was edited, and who deleted it.
    SeeFormer,
    /// Slowing the room down, or letting only those speak in it who are known (`SLOW`, `LOCKDOWN`).
    Guard,
    /// Making and removing hooks (`HOOK`).
    Hook,
    /// Reading who did what to whom (`MODLOG`).
    ReadModeration,
    /// Naming the room as the place to which another room forwards (`f`).
    ForwardHere,
}

/// Whether members with these roles may do something.
pub fn may(roles: Roles, action: Action) -> bool {
    match least(action) {
        Some(role) => roles.at_least(role),
        None => true,
    }
}

/// The least role that may do something; none when everybody may.
pub fn least(action: Action) -> Option<Role> {
    match action {
        Action::Speak | Action::BeSeen => Some(Role::Voice),
        Action::SetTopic => Some(Role::Halfop),
        Action::Invite | Action::SetMode(_) | Action::ForwardHere => Some(Role::Operator),
        Action::Guard | Action::Hook | Action::ReadModeration => Some(Role::Operator),
        Action::Play | Action::Rename | Action::Relay | Action::SetMetadata => Some(Role::Operator),
        Action::Redact | Action::Purge | Action::Pin | Action::SeeFormer => Some(Role::Operator),
        // Whoever is banned may know it; who is excepted is for those who keep the list.
        Action::ReadList('b') => None,
        Action::ReadList(_) => Some(Role::Operator),
    }
}

/// Whether members with these roles may give somebody a role, or take it from one who has no higher one.
pub fn may_give(roles: Roles, role: Role) -> bool {
    commands(roles, Some(role))
}

/// Whether members with these roles may take a role from a member whose roles are `of`. Everybody may give up
/// their own; that is the caller's to know.
pub fn may_take(roles: Roles, role: Role, of: Roles) -> bool {
    commands(roles, Some(role)) && commands(roles, of.highest())
}

/// Whether members with these roles may put out a member whose roles are `of`.
pub fn may_kick(roles: Roles, of: Roles) -> bool {
    commands(roles, of.highest())
}

/// Whether members with these roles stand above those with that highest role. Operators stand above each other,
/// founders too; admins and halfops do not.
fn commands(roles: Roles, over: Option<Role>) -> bool {
    match roles.highest() {
        Some(Role::Founder) => true,
        Some(Role::Admin | Role::Operator) => over <= Some(Role::Operator),
        Some(Role::Halfop) => over <= Some(Role::Voice),
        Some(Role::Voice) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every column of the table, the highest first, and an ordinary member.
    const COLUMNS: [(Option<Role>, char); 6] = [
        (Some(Role::Founder), 'q'),
        (Some(Role::Admin), 'a'),
        (Some(Role::Operator), 'o'),
        (Some(Role::Halfop), 'h'),
        (Some(Role::Voice), 'v'),
        (None, '-'),
    ];

    fn roles(highest: Option<Role>) -> Roles {
        highest.map_or(Roles::NONE, Roles::from)
    }

    /// The letters of those who may.
    fn who(may: impl Fn(Roles) -> bool) -> String {
        COLUMNS.iter().filter(|(role, _)| may(roles(*role))).map(|(_, letter)| *letter).collect()
    }

    #[test]
    fn what_each_role_may_do() {
        let check = |action, expected: &str| {
            assert_eq!(who(|roles| may(roles, action)), expected, "{action:?}");
        };
        check(Action::Speak, "qaohv");
        check(Action::BeSeen, "qaohv");
        check(Action::SetTopic, "qaoh");
        check(Action::Invite, "qao");
        for action in [Action::Redact, Action::Purge, Action::Pin, Action::SeeFormer] {
            check(action, "qao");
        }
        check(Action::ForwardHere, "qao");
        check(Action::Guard, "qao");
        check(Action::ReadModeration, "qao");
        check(Action::ReadList('b'), "qaohv-");
        for list in ['e', 'I'] {
            check(Action::ReadList(list), "qao");
        }
        for mode in "beIklmnstiCEMRUuf".chars() {
            check(Action::SetMode(mode), "qao");
        }
    }

    #[test]
    fn who_may_give_and_take_which_role() {
        let give = |role| who(|roles| may_give(roles, role));
        assert_eq!(Role::ALL.map(give), ["q", "q", "qao", "qao", "qaoh"]);
        // From somebody who has nothing higher.
        let take = |role| who(|roles| may_take(roles, role, Roles::from(role)));
        assert_eq!(Role::ALL.map(take), ["q", "q", "qao", "qao", "qaoh"]);
        // The voice of somebody who has that role as well.
        let voice = |role| {
            let mut of = Roles::from(role);
            of.set(Role::Voice, true);
            who(|roles| may_take(roles, Role::Voice, of))
        };
        assert_eq!(Role::ALL.map(voice), ["q", "q", "qao", "qao", "qaoh"]);
    }

    #[test]
    fn who_may_put_out_whom() {
        for ((target, _), expected) in COLUMNS.into_iter().zip(["q", "q", "qao", "qao", "qaoh", "qaoh"]) {
            assert_eq!(who(|by| may_kick(by, roles(target))), expected, "{target:?}");
        }
    }

    #[test]
    fn the_highest_role_counts() {
        let mut by = Roles::from(Role::Voice);
        by.set(Role::Admin, true);
        let mut of = Roles::from(Role::Operator);
        assert!(may_kick(by, of) && may_give(by, Role::Operator));
        of.set(Role::Admin, true);
        assert!(!may_kick(by, of) && !may_take(by, Role::Operator, of));
    }
}
