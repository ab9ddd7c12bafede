//! Requests: one file a command, one line here.
//!
//! A command reads the chat, answers, and proposes events. It returns [`Flow::Wait`] only before it has done
//! either, since it will be asked again.

mod accept;
mod admin;
pub(crate) mod authenticate;
mod away;
mod ban;
pub mod batch;
pub mod cap;
mod chathistory;
pub(crate) mod deeds;
#[cfg(test)]
mod deeds_tests;
mod edit;
pub mod erase;
mod guard;
mod help;
pub mod hook;
mod info;
pub mod invitation;
mod invite;
mod ison;
mod isupport;
mod join;
pub mod keep;
mod kick;
mod kill;
mod links;
mod list;
mod lusers;
pub mod markread;
pub mod metadata;
mod mode;
mod mode_room;
#[cfg(test)]
mod modes_tests;
mod modlog;
mod monitor;
mod motd;
pub mod names;
mod nick;
mod numbers;
pub(crate) mod oper;
pub(crate) mod owner;
mod part;
mod pass;
pub(crate) mod persistence;
mod pin;
mod ping;
mod playback;
mod privmsg;
pub(crate) mod purge;
mod quit;
mod re;
mod react;
mod redact;
mod register;
pub mod registration;
mod rehash;
mod relaymsg;
pub mod rename;
pub mod replay;
pub(crate) mod reply;
mod roleplay;
#[cfg(test)]
mod roles_tests;
mod search;
pub mod services;
mod sethost;
mod setname;
mod stats;
mod tagmsg;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_batch;
#[cfg(test)]
mod tests_conversations;
#[cfg(test)]
mod tests_erase;
#[cfg(test)]
mod tests_guard;
#[cfg(test)]
mod tests_history;
#[cfg(test)]
mod tests_mapping;
#[cfg(test)]
mod tests_purge;
#[cfg(test)]
mod tests_reading;
#[cfg(test)]
mod tests_registration;
#[cfg(test)]
mod tests_search;
#[cfg(test)]
mod tests_uban;
#[cfg(test)]
mod tests_world;
pub(crate) mod time;
mod token;
mod topic;
mod uban;
mod upload;
mod userhost;
mod version;
mod wallops;
mod was;
pub mod webirc;
pub(crate) mod welcome;
mod who;
mod whois;
mod whowas;
mod whox;

/// Bounds of what is asked, by name for [`crate::limits`].
pub(crate) mod bounds {
    pub use super::authenticate::RESPONSE_BYTES_MAX;
    pub use super::invitation::CODE_BYTES_MAX;
    pub use super::list::CONDITIONS_MAX;
    pub use super::mode_room::CHANGES_MAX;
    pub use super::privmsg::TARGETS_MAX;
    pub use super::react::REACTION_BYTES_MAX;
    pub use super::registration::SESSIONS_MAX;
    pub use super::who::FOUND_MAX;
}

use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;
use chinwag_wire::verbs::Verb;

pub(crate) use self::privmsg::is_query;
use self::reply::given;
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::session::Phase;

/// What carries out a command.
type Handler = fn(&Chat, &mut Asking<'_>, &Message<'_>) -> Flow;

/// The table of commands.
fn handler(verb: Verb) -> Handler {
    match verb {
        Verb::Accept => accept::accept,
        Verb::Admin => admin::admin,
        Verb::Away => away::away,
        Verb::Batch => batch::batch,
        Verb::Ban => ban::ban,
        Verb::Cap => cap::cap,
        Verb::Chathistory => chathistory::chathistory,
        Verb::Help | Verb::Helpop => help::help,
        Verb::Hook => hook::hook,
        Verb::Info => info::info,
        Verb::Invite => invite::invite,
        Verb::Ison => ison::ison,
        Verb::Isupport => isupport::isupport,
        Verb::Join => join::join,
        Verb::Kick => kick::kick,
        Verb::Kill => kill::kill,
        Verb::Links => links::links,
        Verb::List => list::list,
        Verb::Lusers => lusers::lusers,
        Verb::Markread => markread::markread,
        Verb::Metadata => metadata::metadata,
        Verb::Mode => mode::mode,
        Verb::Monitor => monitor::monitor,
        Verb::Motd => motd::motd,
        Verb::Mute => ban::mute,
        Verb::Names => names::names,
        Verb::Nick => nick::nick,
        Verb::Notice => privmsg::notice,
        Verb::Part => part::part,
        Verb::Pass => pass::pass,
        Verb::Ping => ping::ping,
        Verb::Pong => ping::pong,
        Verb::Privmsg => privmsg::privmsg,
        Verb::Quit => quit::quit,
        Verb::Rehash => rehash::rehash,
        Verb::Rename => rename::rename,
        Verb::Sethost => sethost::sethost,
        Verb::Setname => setname::setname,
        Verb::Stats => stats::stats,
        Verb::Slow => guard::slow,
        Verb::Tagmsg => tagmsg::tagmsg,
        Verb::Time => time::time,
        Verb::Topic => topic::topic,
        Verb::Uban => uban::uban,
        Verb::Unban => ban::unban,
        Verb::Unmute => ban::unmute,
        Verb::User => registration::user,
        Verb::Userhost => userhost::userhost,
        Verb::Version => version::version,
        Verb::Wallops => wallops::wallops,
        Verb::Webirc => webirc::webirc,
        Verb::Who => who::who,
        Verb::Whois => whois::whois,
        Verb::Whowas => whowas::whowas,
        other => about_accounts(other),
    }
}

/// The part of the table that is about accounts, and who may do what with them.
fn about_accounts(verb: Verb) -> Handler {
    match verb {
        Verb::Authenticate => authenticate::authenticate,
        Verb::Chanserv | Verb::Cs => services::chanserv,
        Verb::Invitation => invitation::invitation,
        Verb::Link => register::link,
        Verb::Logout => register::logout,
        Verb::Nickserv | Verb::Ns => services::nickserv,
        Verb::Oper => oper::oper,
        Verb::Owner => owner::owner,
        Verb::Persistence => persistence::persistence,
        Verb::Register => register::register,
        Verb::Token => token::token,
        Verb::Verify => register::verify,
        other => about_messages(other),
    }
}

/// The part of the table that is about messages which were said.
fn about_messages(verb: Verb) -> Handler {
    match verb {
        Verb::Edit => edit::edit,
        Verb::Lockdown => guard::lockdown,
        Verb::Keep => keep::keep,
        Verb::Erase => erase::erase,
        Verb::Npc => roleplay::npc,
        Verb::Npca => roleplay::npca,
        Verb::Numbers => numbers::numbers,
        Verb::Pin => pin::pin,
        Verb::Pins => pin::pins,
        Verb::Modlog => modlog::modlog,
        Verb::Purge => purge::purge,
        Verb::Quote => re::quote,
        Verb::Re => re::re,
        Verb::React => react::react,
        Verb::Redact => redact::redact,
        Verb::Relaymsg => relaymsg::relaymsg,
        Verb::Scene => roleplay::scene,
        Verb::Search => search::search,
        Verb::Unpin => pin::unpin,
        Verb::Unreact => react::unreact,
        Verb::Upload => upload::upload,
        Verb::Was => was::was,
        // A test asks for every row.
        other => unreachable!("{} has no row", other.name()),
    }
}

impl Chat {
    /// Decides a request: answers it, proposes events for it, or asks to be asked again.
    pub fn request(&self, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
        match asking.session.phase {
            Phase::Closing => return Flow::Done,
            Phase::Entering(_) => return Flow::Wait,
            Phase::Greeting(_) | Phase::Live(_) => {}
        }
        let registered = asking.session.user().is_some();
        let verb = Verb::lookup(message.command);
        if !registered && verb.is_none_or(Verb::needs_registration) {
            asking.refuse(Numeric::ERR_NOTREGISTERED, []);
            return Flow::Done;
        }
        if batch::concerns(asking, message) {
            return batch::collect(self, asking, message);
        }
        let Some(verb) = verb else {
            asking.refuse(Numeric::ERR_UNKNOWNCOMMAND, [given(message.command)]);
            return Flow::Done;
        };
        if message.params.len() < verb.params_min() {
            asking.refuse(Numeric::ERR_NEEDMOREPARAMS, [verb.name().into()]);
            return Flow::Done;
        }
        handler(verb)(self, asking, message)
    }
}

#[cfg(test)]
mod table {
    use super::{Verb, handler};

    #[test]
    fn every_command_has_its_row() {
        for verb in Verb::ALL {
            let _ = handler(*verb);
        }
    }
}
