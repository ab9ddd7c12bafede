//! `INVITATION <code>`: coming into a room by a code that somebody was given, also where the room is closed, and noting
//! the code for the `REGISTER` that follows where accounts are for those who were invited.
//! `INVITATION ADD|LIST|DEL …`: making such codes, for those who keep the room.

use std::sync::Arc;

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use super::reply::{asker, fail, given, line, noted, operator, tell};
use super::time::stamp;
use crate::accounts::{self, Refusal, Then, Ticket, Way, account_of, work};
use crate::allowance::Dear;
use crate::asking::{Asking, Flow};
use crate::chat::{Chat, Invitation, ROOM_INVITATIONS_MAX, Room, User};
use crate::event::{Event, Keeping};
use crate::ids::{Millis, RoomId};
use crate::permissions::Action;
use crate::privileges::Privilege;
use crate::settings::Registration;
use crate::span::Span;
use crate::tokens::hashed;
use crate::work::{Job, Secret};

const NAME: &str = "INVITATION";

/// Bytes of a code that anybody could have been given.
pub const CODE_BYTES_MAX: usize = 64;

/// How often one invitation may be used.
const USES_MAX: u32 = 1_000;

/// For how long an invitation holds if nothing else is said.
const A_WEEK: Span = Span(7 * 24 * 60 * 60 * 1_000);

/// An invitation to a room that somebody wants to make: all but what is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct RoomTicket {
    room: RoomId,
    uses: u32,
    until_ms: Millis,
    accounts: bool,
}

/// An invitation to a room on its way to the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    room: Arc<str>,
    number: u32,
    code: Secret,
    uses: u32,
    until_ms: Millis,
}

/// `INVITATION <code> | ADD [<room>] [<uses>] [<duration>] [account] | LIST [<room>] | DEL [<room>] <number>`; without a
/// room it is about the server, for its operators.
pub(crate) fn invitation(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let words = message.params.join(" ");
    let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    let subcommand = words.first().map(|word| word.to_ascii_uppercase());
    match (subcommand.as_deref(), asker(chat, asking)) {
        (Some(what @ ("ADD" | "LIST" | "DEL")), Some(user)) => manage(chat, asking, user, what, &words[1..]),
        (_, Some(user)) => redeem(chat, asking, user, &words.join("-")),
        (_, None) => {
            note(asking, &words.join("-"));
            Flow::Done
        }
    }
}

/// Somebody who has not come in yet: whether the code is a good one is said when it is used.
fn note(asking: &mut Asking<'_>, code: &str) {
    let fits = !code.is_empty() && code.len() <= CODE_BYTES_MAX;
    asking.session.set_invitation(fits.then(|| Secret::from(code)));
    let text = if fits { "Your invitation is noted: register now" } else { "That is no invitation" };
    tell(asking.effects, line("NOTICE", ["*".into(), text.into()]));
}

fn deny(asking: &mut Asking<'_>, code: &'static str, text: &'static str) {
    fail(asking.effects, NAME, code, [], text);
}

/// Takes somebody into the room of a code, and notes the code where accounts can be made with it.
fn redeem(chat: &Chat, asking: &mut Asking<'_>, user: &User, code: &str) -> Flow {
    if !asking.allows(Dear::WrongPasswords) {
        deny(asking, Refusal::TOO_MANY_WRONG.code, Refusal::TOO_MANY_WRONG.text);
        return Flow::Done;
    }
    let found = Some(code).filter(|code| !code.is_empty() && code.len() <= CODE_BYTES_MAX);
    let now_ms = asking.now_ms;
    let Some((found, room)) = found.and_then(|code| accounts::of_code(chat, now_ms, code)) else {
        // Codes are as little for guessing as passwords.
        deny(asking, Refusal::INVITATION_INVALID.code, Refusal::INVITATION_INVALID.text);
        accounts::count_failure(asking, false);
        return Flow::Done;
    };
    if let Some(room) = room
        && asking.pending.locked(room.id)
    {
        return Flow::Wait;
    }
    let registers = asking.settings.accounts.registration == Registration::Invite
        && account_of(chat, asking).is_none()
        && found.makes_accounts(now_ms);
    if registers {
        asking.session.set_invitation(Some(Secret::from(code)));
    }
    match room {
        Some(room) => enter(asking, user, room, found),
        None if registers => {}
        None => noted(
            asking.effects,
            NAME,
            "NOT_NEEDED",
            [],
            "The code is to make an account with, and you need none for that now".into(),
        ),
    }
    if registers {
        let text = "Your invitation is noted: register now (/register <password> or REGISTER)";
        noted(asking.effects, NAME, "NOTED", [], text.into());
    }
    Flow::Done
}

fn enter(asking: &mut Asking<'_>, user: &User, room: &Room, found: &Invitation) {
    let name = || [(&room.name).into()];
    if room.member(user.id).is_some() {
        let text = format!("You are in {} already", room.name);
        return noted(asking.effects, NAME, "ALREADY_THERE", name(), text.into());
    }
    if room.bans_user(user) {
        return asking.refuse(Numeric::ERR_BANNEDFROMCHAN, name());
    }
    if user.rooms.len() >= asking.settings.channels_per_user {
        return asking.refuse(Numeric::ERR_TOOMANYCHANNELS, name());
    }
    if !found.lets_in(user.who.account.as_ref(), asking.now_ms) {
        return deny(asking, Refusal::INVITATION_INVALID.code, Refusal::INVITATION_INVALID.text);
    }
    propose(asking, user, room, Keeping::CameBy(found.number));
    asking.propose(Event::Joined { user: user.id, room: Arc::clone(&room.name), key: None });
}

fn propose(asking: &mut Asking<'_>, user: &User, room: &Room, keeping: Keeping) {
    let by = Arc::clone(&user.who);
    asking.propose(Event::RoomKept { room: room.id, basis: room.rules, by, keeping });
}

/// What those who keep a room, or the server, do about invitations to it.
fn manage(chat: &Chat, asking: &mut Asking<'_>, user: &User, what: &str, words: &[&str]) -> Flow {
    let (room, rest) = match words {
        [name, rest @ ..] if name.starts_with('#') => (Some(*name), rest),
        ["*", rest @ ..] => (None, rest),
        rest => (None, rest),
    };
    let Some(name) = room else {
        of_server(chat, asking, user, what, rest);
        return Flow::Done;
    };
    let Some(room) = chat.room_by_name(name).filter(|room| room.member(user.id).is_some()) else {
        asking.refuse(Numeric::ERR_NOTONCHANNEL, [given(name)]);
        return Flow::Done;
    };
    if asking.pending.locked(room.id) {
        return Flow::Wait;
    }
    if !room.may(user.id, Action::Invite) {
        asking.refuse(Numeric::ERR_CHANOPRIVSNEEDED, [(&room.name).into()]);
        return Flow::Done;
    }
    match (what, rest) {
        ("ADD", words) => make(chat, asking, room, words),
        ("LIST", []) => list(asking, &room.name, room.invitations.iter()),
        ("DEL", [number]) => {
            match room.invitations.iter().find(|found| found.number.to_string() == *number) {
                Some(found) => {
                    let text = format!("The invitation {number} holds no more");
                    asking.session.set_then(Then::Told(NAME, Arc::clone(&room.name), text.into()));
                    propose(asking, user, room, Keeping::TakenBack(found.number));
                }
                None => unknown(asking),
            }
        }
        _ => usage(asking),
    }
    Flow::Done
}

fn unknown(asking: &mut Asking<'_>) {
    deny(asking, "NO_SUCH_INVITATION", "There is no invitation of that number; INVITATION LIST shows them");
}

fn usage(asking: &mut Asking<'_>) {
    let text = "It is used like this: INVITATION <code> | INVITATION ADD <room> [<uses>] [<duration>] [account] | \
                INVITATION LIST <room> | INVITATION DEL <room> <number>";
    deny(asking, "INVALID_PARAMS", text);
}

/// Those to the server: with their codes accounts are made.
fn of_server(chat: &Chat, asking: &mut Asking<'_>, user: &User, what: &str, words: &[&str]) {
    if operator(chat, asking, Privilege::Accounts).is_none() {
        return;
    }
    match (what, words) {
        ("ADD", words) => match terms(words) {
            Some((uses, span)) => {
                let (by, until_ms) = (Arc::clone(&user.who), asking.now_ms + span.0);
                accounts::invite(chat, asking, Way::Service("NickServ"), Ticket { by, uses, until_ms });
            }
            None => usage(asking),
        },
        ("LIST", []) => list(asking, "*", chat.invitations(asking.now_ms)),
        ("DEL", [number]) => {
            match chat.invitations(asking.now_ms).find(|found| found.number.to_string() == *number) {
                Some(found) => {
                    accounts::take_back(asking, found, user);
                    let text = format!("The invitation {number} holds no more");
                    noted(asking.effects, NAME, "DONE", ["*".into()], text.into());
                }
                None => unknown(asking),
            }
        }
        _ => usage(asking),
    }
}

fn list<'a>(asking: &mut Asking<'_>, about: &str, all: impl Iterator<Item = &'a Invitation>) {
    let now_ms = asking.now_ms;
    let mut count = 0;
    for found in all.filter(|found| found.holds(now_ms)) {
        count += 1;
        let left = Span(found.until_ms.saturating_sub(now_ms));
        let text = format!("{}: {}, for {left} more, by {}", found.number, counted(found.uses()), found.by);
        noted(asking.effects, NAME, "LISTED", [about.to_owned().into()], text.into());
    }
    let text = match count {
        0 => "No invitation holds; /invite-link makes one".to_owned(),
        1 => "1 invitation holds; /invitation del and the number takes it back".to_owned(),
        count => format!("{count} invitations hold; /invitation del and the number takes one back"),
    };
    noted(asking.effects, NAME, "END", [about.to_owned().into()], text.into());
}

/// How often an invitation may be used, in words.
pub(crate) fn counted(uses: u32) -> String {
    if uses == 1 { "1 use".to_owned() } else { format!("{uses} uses") }
}

/// Makes an invitation to a room.
fn make(chat: &Chat, asking: &mut Asking<'_>, room: &Room, words: &[&str]) {
    let (words, accounts) = match words {
        [words @ .., last] if last.eq_ignore_ascii_case("account") => (words, true),
        words => (words, false),
    };
    let Some((uses, span)) = terms(words) else { return usage(asking) };
    if accounts && operator(chat, asking, Privilege::Accounts).is_none() {
        return;
    }
    if !asking.session.secure && !asking.settings.accounts.cleartext_passwords {
        let text = "Others could read the code on the way: connect with TLS or ssh, then make it";
        return deny(asking, "UNACCEPTABLE_PASSWORD", text);
    }
    if room.invitations.iter().filter(|found| found.holds(asking.now_ms)).count() >= ROOM_INVITATIONS_MAX {
        let text = "The room has too many invitations: INVITATION DEL one of them first";
        return deny(asking, "TOO_MANY", text);
    }
    let ticket = RoomTicket { room: room.id, uses, until_ms: asking.now_ms + span.0, accounts };
    work(asking, Then::RoomInvite(Box::new(ticket)), Job::Words);
}

/// How often an invitation may be used and for how long, as typed: once and for a week where nothing is said.
pub(super) fn terms(words: &[&str]) -> Option<(u32, Span)> {
    let (mut uses, mut span) = (None, None);
    for word in words {
        match (word.parse::<u32>(), Span::parse(word)) {
            (Ok(number), _) if uses.is_none() && (1..=USES_MAX).contains(&number) => uses = Some(number),
            (Err(_), Some(given)) if span.is_none() => span = Some(given),
            _ => return None,
        }
    }
    Some((uses.unwrap_or(1), span.unwrap_or(A_WEEK)))
}

/// The code is drawn: the invitation goes to the log, if it still may be made.
pub(crate) fn drawn(chat: &Chat, asking: &mut Asking<'_>, ticket: RoomTicket, code: Secret) {
    let RoomTicket { room, uses, until_ms, accounts } = ticket;
    let (Some(user), Some(room)) = (asker(chat, asking), chat.room(room)) else { return };
    if !room.may(user.id, Action::Invite) || asking.pending.locked(room.id) {
        return deny(asking, "TEMPORARILY_UNAVAILABLE", "The room changed meanwhile: try again");
    }
    let (number, hash) = (room.invitations_made.saturating_add(1), hashed(code.expose()));
    let made = Made { room: Arc::clone(&room.name), number, code, uses, until_ms };
    asking.session.set_then(Then::RoomInvited(Box::new(made)));
    propose(asking, user, room, Keeping::Invited { number, hash, uses, until_ms, accounts });
}

/// It is kept: its code is shown now and never again, in every form in which it can be used.
pub(crate) fn made(asking: &mut Asking<'_>, made: &Made) {
    let Made { room, number, code, uses, until_ms } = made;
    let code = code.expose();
    let until = stamp(*until_ms);
    let until = until.get(..16).unwrap_or_default().replace('T', " ");
    let often = if *uses == 1 { "once".to_owned() } else { format!("{uses} times") };
    let mut texts = vec![format!("The code is {code} (invitation {number}). It is shown only now.")];
    texts.push(format!("Whoever has it comes into {room}, {often}, until {until} UTC."));
    if let Some(link) = link(asking, code) {
        texts.push(format!("In a browser: {link}"));
        texts.push(format!("In a terminal: chinwag join {link}"));
    }
    texts.push(format!("By nc, ssh or IRC, once inside: /invitation {code}"));
    for text in texts {
        noted(asking.effects, NAME, "MADE", [room.into()], text.into());
    }
}

/// What browsers open. The code stands where browsers keep it to themselves: no log of a web server has it.
pub(crate) fn link(asking: &Asking<'_>, code: &str) -> Option<String> {
    asking.settings.web_address.as_ref().map(|address| format!("{address}#/invitation/{code}"))
}
