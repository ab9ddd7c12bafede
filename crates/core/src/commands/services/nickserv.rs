//! NickServ: accounts, for people's habits.

use std::sync::Arc;

use super::{Service, help, say, usage};
use crate::accounts::{self, Ticket, Way};
use crate::asking::{Asking, Flow};
use crate::chat::{Account, Chat, Enforce};
use crate::commands::invitation::terms;
use crate::commands::register::note_invitation;
use crate::commands::reply::{asker, given};
use crate::event::{AccountChange, Event, Setting};
use crate::keys::{KEYS_MAX, SshKey};
use crate::privileges::Privilege;
use crate::span::Span;
use crate::work::Secret;

const SERVICE: Service = Service::NickServ;
const WAY: Way = Way::Service("NickServ");
const FOR_OTHER: Way = Way::ForOther("NickServ");

/// Every command: how it is used, and what it does.
pub(super) const ROWS: &[(&str, &str)] = &[
    ("REGISTER <password> [<email or *> [<invitation>]]", "makes an account of your nickname"),
    ("IDENTIFY [<account>] <password>", "logs you in"),
    ("LOGOUT", "logs you out"),
    ("INFO [<account>]", "shows what is known of an account"),
    ("SET <setting> <value>", "changes a setting: always-on, multiclient, enforce, autoreplay-lines"),
    ("GET [<setting>]", "shows your settings"),
    ("PASSWD <new password>", "gives your account another password"),
    ("CERT ADD|DEL|LIST [<fingerprint>]", "says which certificates prove your account"),
    ("KEY ADD|DEL|LIST [<key>]", "says which ssh keys prove your account; a key is a line of a .pub file"),
    ("LINK [<code>]", "gives a code with which another session or ssh key joins your account"),
    (
        "TOKEN ADD|LIST|DEL [<name> [<scopes>] [<bot>]]",
        "makes, shows and revokes what programs of yours show instead of a password",
    ),
    ("GHOST <nickname>", "ends whoever sits on your nickname"),
    ("REGAIN <nickname>", "the same, and you take the nickname"),
    ("DROP <account>", "ends your account for good"),
    ("INVITE [<uses>] [<duration>] | LIST | DEL <name>", "makes a code to register with (operators)"),
    ("SAREGISTER <account> <password>", "makes an account for somebody (operators)"),
    ("SADROP <account>", "ends somebody's account (operators)"),
    ("SAPASSWD <account> <password>", "gives somebody's account another password (operators)"),
];

pub(super) fn run(chat: &Chat, asking: &mut Asking<'_>, command: &str, words: &[&str]) -> Flow {
    match (command, words) {
        ("HELP", _) => help(chat, asking, SERVICE, ROWS),
        ("REGISTER", [password]) => accounts::register(chat, asking, WAY, "*", "*", Secret::from(*password)),
        ("REGISTER", [password, email]) => {
            accounts::register(chat, asking, WAY, "*", email, Secret::from(*password));
        }
        ("REGISTER", [password, email, invitation]) => {
            note_invitation(asking, Some(invitation));
            accounts::register(chat, asking, WAY, "*", email, Secret::from(*password));
        }
        ("IDENTIFY", [password]) => {
            let nick = asker(chat, asking).map(|user| Arc::clone(&user.who.nick));
            if let Some(nick) = nick {
                accounts::identify(chat, asking, WAY, &nick, Secret::from(*password));
            }
        }
        ("IDENTIFY", [account, password]) => {
            accounts::identify(chat, asking, WAY, account, Secret::from(*password));
        }
        ("LOGOUT", _) => {
            if !accounts::log_out(chat, asking) {
                say(chat, asking, SERVICE, "You are not logged in.");
            }
        }
        ("INFO", [name]) => info(chat, asking, name),
        ("INFO" | "GET" | "SET" | "PASSWD" | "CERT" | "KEY" | "DROP" | "GHOST" | "REGAIN", _) => {
            own(chat, asking, command, words);
        }
        ("LINK", []) => accounts::make_link(chat, asking),
        ("LINK", [code]) => accounts::join(chat, asking, code),
        ("TOKEN", _) => accounts::tokens(chat, asking, WAY, words),
        ("INVITE", _) => invite(chat, asking, words),
        ("SAREGISTER" | "SADROP" | "SAPASSWD", _) => for_others(chat, asking, command, words),
        _ => usage(chat, asking, SERVICE, ROWS, command),
    }
    Flow::Done
}

/// What somebody who is logged in does about the own account.
fn own(chat: &Chat, asking: &mut Asking<'_>, command: &str, words: &[&str]) {
    let account = accounts::account_of(chat, asking).and_then(|name| chat.account(&name));
    let Some(account) = account else {
        return say(chat, asking, SERVICE, "Log in first: IDENTIFY <password>");
    };
    let name = Arc::clone(&account.name);
    match (command, words) {
        ("INFO", []) => info(chat, asking, &name),
        ("GET", wanted) => get(chat, asking, account, wanted),
        ("SET", [setting, value]) => set(chat, asking, &name, setting, value),
        ("PASSWD", [password]) => accounts::set_password(chat, asking, WAY, &name, password),
        ("CERT", [subcommand, rest @ ..]) => cert(chat, asking, account, subcommand, rest),
        ("KEY", [subcommand, rest @ ..]) => key(chat, asking, account, subcommand, rest),
        ("DROP", [typed]) if chat.mapping().same(typed, &name) => accounts::drop_account(asking, WAY, &name),
        ("DROP", _) => {
            say(chat, asking, SERVICE, format!("This cannot be undone. If you are sure: DROP {name}"));
        }
        ("GHOST" | "REGAIN", [nick]) => regain(chat, asking, &name, nick, command == "REGAIN"),
        _ => usage(chat, asking, SERVICE, ROWS, command),
    }
}

fn info(chat: &Chat, asking: &mut Asking<'_>, name: &str) {
    let Some(account) = chat.account(name) else {
        return say(chat, asking, SERVICE, format!("There is no account {}.", given(name).as_str()));
    };
    let (mut stamp, mut written) = (chinwag_wire::time::Stamp::default(), Vec::new());
    stamp.write(account.created_ms, &mut written);
    let since = String::from_utf8_lossy(&written).into_owned();
    let here =
        chat.user_by_nick(&account.name).filter(|user| user.who.account.as_ref() == Some(&account.name));
    let here = if here.is_some() { "here" } else { "not here under that nickname" };
    say(chat, asking, SERVICE, format!("{}: registered {since}, {here}.", account.name));
}

/// A choice, as it is shown.
fn choice(chosen: Option<bool>) -> &'static str {
    match chosen {
        Some(true) => "on",
        Some(false) => "off",
        None => "as the server has it",
    }
}

fn get(chat: &Chat, asking: &mut Asking<'_>, account: &Account, wanted: &[&str]) {
    let settings = &account.settings;
    let enforce = match settings.enforce {
        Some(Enforce::Strict) => "strict",
        Some(Enforce::None) => "none",
        None => "as the server has it",
    };
    let lines = settings.autoreplay.map_or("as the server has it".to_owned(), |lines| lines.to_string());
    let all = [
        ("always-on", choice(settings.always_on).to_owned()),
        ("multiclient", choice(settings.multiclient).to_owned()),
        ("enforce", enforce.to_owned()),
        ("autoreplay-lines", lines),
    ];
    let asked = |name: &str| wanted.first().is_none_or(|wanted| wanted.eq_ignore_ascii_case(name));
    let shown: Vec<_> = all.into_iter().filter(|(name, _)| asked(name)).collect();
    if shown.is_empty() {
        return usage(chat, asking, SERVICE, ROWS, "SET");
    }
    for (name, value) in shown {
        say(chat, asking, SERVICE, format!("{name}: {value}"));
    }
}

fn set(chat: &Chat, asking: &mut Asking<'_>, account: &Arc<str>, setting: &str, value: &str) {
    let value = value.to_ascii_lowercase();
    let choice = match value.as_str() {
        "on" | "true" | "yes" | "opt-in" | "mandatory" => Some(Some(true)),
        "off" | "false" | "no" | "opt-out" | "disabled" => Some(Some(false)),
        "default" => Some(None),
        _ => None,
    };
    let setting = match (setting.to_ascii_lowercase().as_str(), choice) {
        ("always-on", Some(choice)) => Some(Setting::AlwaysOn(choice)),
        ("multiclient", Some(choice)) => Some(Setting::Multiclient(choice)),
        ("enforce", _) => match value.as_str() {
            "strict" | "on" => Some(Setting::Enforce(Some(Enforce::Strict))),
            "none" | "off" => Some(Setting::Enforce(Some(Enforce::None))),
            "default" => Some(Setting::Enforce(None)),
            _ => None,
        },
        ("autoreplay-lines", Some(None)) => Some(Setting::Autoreplay(None)),
        ("autoreplay-lines", _) => value.parse().ok().map(|lines| Setting::Autoreplay(Some(lines))),
        _ => None,
    };
    match setting {
        Some(setting) => accounts::change(asking, WAY, account, AccountChange::Setting(setting)),
        None => {
            let text = "The settings are always-on and multiclient (on, off, default), enforce (strict, none, \
                        default) and autoreplay-lines (a number, default).";
            say(chat, asking, SERVICE, text);
        }
    }
}

fn cert(chat: &Chat, asking: &mut Asking<'_>, account: &Account, subcommand: &str, rest: &[&str]) {
    let own = asking.session.certificate.clone();
    let typed = rest.first().map(|print| Arc::from(print.replace(':', "").to_ascii_lowercase()));
    match (subcommand.to_ascii_uppercase().as_str(), typed.or(own)) {
        ("LIST", _) if account.certificates.is_empty() => {
            say(chat, asking, SERVICE, "No certificate proves your account.");
        }
        ("LIST", _) => {
            for print in &account.certificates {
                say(chat, asking, SERVICE, print.to_string());
            }
        }
        ("ADD", Some(print)) if is_fingerprint(&print) => {
            accounts::change(asking, WAY, &account.name, AccountChange::CertificateAdded(print));
        }
        ("DEL", Some(print)) if is_fingerprint(&print) => {
            accounts::change(asking, WAY, &account.name, AccountChange::CertificateRemoved(print));
        }
        _ => usage(chat, asking, SERVICE, ROWS, "CERT"),
    }
}

fn key(chat: &Chat, asking: &mut Asking<'_>, account: &Account, subcommand: &str, rest: &[&str]) {
    match (subcommand.to_ascii_uppercase().as_str(), rest) {
        ("LIST", []) if account.keys.is_empty() => {
            say(chat, asking, SERVICE, "No ssh key proves your account.");
        }
        ("LIST", []) => {
            for known in &account.keys {
                let (mut stamp, mut written) = (chinwag_wire::time::Stamp::default(), Vec::new());
                stamp.write(known.at_ms, &mut written);
                let since = String::from_utf8_lossy(&written);
                let kind = known.key.public().split(' ').next().unwrap_or_default();
                let print = known.key.fingerprint();
                say(chat, asking, SERVICE, format!("{print} {kind}, added {since} by {}", known.by));
            }
        }
        ("ADD", typed) => {
            let own = asking.session.ssh_key().cloned().filter(|_| typed.is_empty());
            match own.or_else(|| SshKey::parse(&typed.join(" ")).map(Arc::new)) {
                Some(key) if account.has_key(&key) => {
                    say(chat, asking, SERVICE, "That key proves your account already.");
                }
                Some(_) if account.keys.len() >= KEYS_MAX => {
                    say(
                        chat,
                        asking,
                        SERVICE,
                        "So many keys prove your account that one has to go first: KEY DEL",
                    );
                }
                Some(key) => {
                    let by = asker(chat, asking).map(|user| Arc::clone(&user.who.nick));
                    let by = by.unwrap_or_else(|| Arc::clone(&account.name));
                    accounts::change(asking, WAY, &account.name, AccountChange::KeyAdded { key, by });
                }
                None => {
                    let text = "That is no key. KEY ADD and the line of your .pub file (ssh-ed25519 AAAA…); without \
                                a key, the one that you showed at the ssh door.";
                    say(chat, asking, SERVICE, text);
                }
            }
        }
        ("DEL", [print]) => match account.keys.iter().find(|known| known.key.fingerprint() == *print) {
            Some(known) => {
                let print = known.key.fingerprint().into();
                accounts::change(asking, WAY, &account.name, AccountChange::KeyRemoved(print));
            }
            None => say(chat, asking, SERVICE, "No key of that fingerprint proves your account: KEY LIST"),
        },
        _ => usage(chat, asking, SERVICE, ROWS, "KEY"),
    }
}

/// SHA-256 in hexadecimal.
fn is_fingerprint(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn regain(chat: &Chat, asking: &mut Asking<'_>, account: &Arc<str>, nick: &str, take: bool) {
    if !chat.mapping().same(nick, account) {
        return say(chat, asking, SERVICE, format!("Only {account} is yours."));
    }
    let Some(user) = asker(chat, asking) else { return };
    let (own, by) = (user.id, Arc::clone(&user.who));
    match chat.user_by_nick(nick) {
        Some(holder) if holder.id == own => return say(chat, asking, SERVICE, "You have it."),
        // A guest has another name from now on; a session of one's own that hangs has to go.
        Some(holder) if accounts::make_way(chat, asking, holder) => {}
        Some(holder) => {
            let reason = format!("{account} is {}'s account", by.nick).into();
            asking.propose(Event::Killed { user: holder.id, by, reason });
        }
        None if !take => return say(chat, asking, SERVICE, "Nobody sits on it."),
        None => {}
    }
    if take {
        asking.propose(Event::Renamed { user: own, nick: Arc::clone(account) });
    }
}

/// Invitations: made, listed and taken back by server operators.
fn invite(chat: &Chat, asking: &mut Asking<'_>, words: &[&str]) {
    let Some(user) = crate::commands::reply::operator(chat, asking, Privilege::Accounts) else { return };
    let now_ms = asking.now_ms;
    let first = words.first().map(|word| word.to_ascii_uppercase());
    match (first.as_deref(), &words[words.len().min(1)..]) {
        (Some("LIST"), _) => {
            for found in chat.invitations(now_ms) {
                let left = Span(found.until_ms.saturating_sub(now_ms));
                let text =
                    format!("{}: {} uses, for {left} more, by {}", found.number, found.uses(), found.by);
                say(chat, asking, SERVICE, text);
            }
            say(chat, asking, SERVICE, format!("{} invitations hold.", chat.invitations(now_ms).count()));
        }
        (Some("DEL"), [name]) => {
            match chat.invitations(now_ms).find(|found| found.number.to_string() == *name) {
                Some(found) => {
                    accounts::take_back(asking, found, user);
                    say(chat, asking, SERVICE, format!("The invitation {name} holds no more."));
                }
                None => say(chat, asking, SERVICE, "There is no such invitation; INVITE LIST shows them."),
            }
        }
        (Some("DEL"), _) => usage(chat, asking, SERVICE, ROWS, "INVITE"),
        _ => {
            let Some((uses, span)) = terms(words) else {
                return usage(chat, asking, SERVICE, ROWS, "INVITE");
            };
            let ticket = Ticket { by: Arc::clone(&user.who), uses, until_ms: now_ms + span.0 };
            accounts::invite(chat, asking, WAY, ticket);
        }
    }
}

/// What server operators do about the accounts of others.
fn for_others(chat: &Chat, asking: &mut Asking<'_>, command: &str, words: &[&str]) {
    if crate::commands::reply::operator(chat, asking, Privilege::Accounts).is_none() {
        return;
    }
    match (command, words) {
        ("SAREGISTER", [name, password]) => {
            accounts::register_for(chat, asking, SERVICE.nick(), name, Secret::from(*password));
        }
        ("SADROP", [name]) => match chat.account(name) {
            Some(account) => accounts::drop_account(asking, FOR_OTHER, &Arc::clone(&account.name)),
            None => say(chat, asking, SERVICE, format!("There is no account {}.", given(name).as_str())),
        },
        ("SAPASSWD", [name, password]) => match chat.account(name) {
            Some(account) => {
                accounts::set_password(chat, asking, FOR_OTHER, &Arc::clone(&account.name), password);
            }
            None => say(chat, asking, SERVICE, format!("There is no account {}.", given(name).as_str())),
        },
        _ => usage(chat, asking, SERVICE, ROWS, command),
    }
}
