//! The nicknames that people of IRC expect to look after accounts and rooms: NickServ and ChanServ. Thin: each takes
//! its words apart and asks for what other commands ask for.

mod chanserv;
mod nickserv;

use std::sync::Arc;

use chinwag_wire::message::Message;

use super::reply::addressee;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::Who;
use crate::line::{Line, Source};

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Accounts.
    NickServ,
    /// Rooms.
    ChanServ,
}

impl Service {
    /// Its nickname.
    pub const fn nick(self) -> &'static str {
        match self {
            Service::NickServ => "NickServ",
            Service::ChanServ => "ChanServ",
        }
    }

    /// The service that a target of PRIVMSG names.
    pub fn named(target: &str) -> Option<Service> {
        [Service::NickServ, Service::ChanServ]
            .into_iter()
            .find(|service| service.nick().eq_ignore_ascii_case(target))
    }

    /// Its commands: how each is used, and what it does.
    pub(crate) fn rows(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Service::NickServ => nickserv::ROWS,
            Service::ChanServ => chanserv::ROWS,
        }
    }

    fn enabled(self, asking: &Asking<'_>) -> bool {
        match self {
            Service::NickServ => asking.settings.accounts.nickserv,
            Service::ChanServ => asking.settings.accounts.chanserv,
        }
    }
}

/// `NICKSERV <words>`, `NS <words>`
pub(crate) fn nickserv(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    asked(chat, asking, Service::NickServ, &message.params.join(" "))
}

/// `CHANSERV <words>`, `CS <words>`
pub(crate) fn chanserv(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    asked(chat, asking, Service::ChanServ, &message.params.join(" "))
}

/// Something was said to a service.
pub(super) fn asked(chat: &Chat, asking: &mut Asking<'_>, service: Service, text: &str) -> Flow {
    if !service.enabled(asking) {
        say(chat, asking, service, "This server has no such service; /quote HELP lists what there is.");
        return Flow::Done;
    }
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let (command, rest) = words.split_first().map_or(("HELP", &[][..]), |(first, rest)| (*first, rest));
    match service {
        Service::NickServ => nickserv::run(chat, asking, &command.to_ascii_uppercase(), rest),
        Service::ChanServ => chanserv::run(chat, asking, &command.to_ascii_uppercase(), rest),
    }
}

/// A sentence of a service, as a notice.
fn say(chat: &Chat, asking: &mut Asking<'_>, service: Service, text: impl Into<String>) {
    let (nick, host) = (service.nick(), Arc::clone(&asking.settings.server));
    let who = Who { nick: nick.into(), user: nick.into(), host, account: None };
    let to = addressee(chat, asking);
    asking.reply(Line::new(Source::User(Arc::new(who)), "NOTICE", [to, text.into().into()]));
}

/// What a service can do: its commands, a line each.
fn help(chat: &Chat, asking: &mut Asking<'_>, service: Service, rows: &[(&str, &str)]) {
    say(chat, asking, service, format!("{} knows these commands:", service.nick()));
    for (usage, what) in rows {
        say(chat, asking, service, format!("{usage}: {what}"));
    }
}

/// How a command is used that was used in another way.
fn usage(chat: &Chat, asking: &mut Asking<'_>, service: Service, rows: &[(&str, &str)], command: &str) {
    let row = rows.iter().find(|(usage, _)| usage.split(' ').next() == Some(command));
    let text = row.map_or_else(
        || "There is no such command; HELP lists those there are.".to_owned(),
        |(usage, _)| format!("It is used like this: {usage}"),
    );
    say(chat, asking, service, text);
}
