//! `CAP LS [302]`, `CAP LIST`, `CAP REQ :…`, `CAP END`: what the client can do beyond the basic protocol.
//!
//! Specification: IRCv3 capability negotiation.

use std::borrow::Cow;

use chinwag_wire::caps::{Cap, CapSet, Status};
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::{Packer, addressee, given, line, room_for_last};
use crate::commands::{authenticate, registration};
use crate::effect::Effect;
use crate::line::{Line, Text};
use crate::metadata::KEY_BYTES_MAX;
use crate::session::{Phase, Session};
use crate::settings::{AlwaysOn, MetadataRules, Registration, Settings, Sts};

/// The version from which values, several lines and `cap-notify` are understood.
const VERSION_VALUES: u16 = 302;

/// `CAP <subcommand> [<parameter>]`
pub(crate) fn cap(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let subcommand = message.params.first().copied().unwrap_or("");
    let parameter = message.params.get(1);
    if subcommand.eq_ignore_ascii_case("LS") {
        ls(chat, asking, parameter);
    } else if subcommand.eq_ignore_ascii_case("LIST") {
        let names = asking.session.caps.iter().map(|cap| (cap.name(), None));
        let several = asking.session.cap_version >= VERSION_VALUES;
        listing(chat, asking, "LIST", names, several);
    } else if subcommand.eq_ignore_ascii_case("REQ") {
        req(chat, asking, parameter.unwrap_or(""));
    } else if subcommand.eq_ignore_ascii_case("END") {
        if let Phase::Greeting(greeting) = &mut asking.session.phase {
            greeting.negotiating = false;
            registration::complete(chat, asking);
        }
    } else {
        asking.refuse(Numeric::ERR_INVALIDCAPCMD, [given(subcommand)]);
    }
    Flow::Done
}

/// Registration waits until `CAP END`.
fn hold(asking: &mut Asking<'_>) {
    if let Phase::Greeting(greeting) = &mut asking.session.phase {
        greeting.negotiating = true;
    }
}

/// Whether this server offers a capability as it is configured.
fn offered(cap: Cap, session: &Session, settings: &Settings) -> bool {
    let accounts = &settings.accounts;
    match cap {
        Cap::AccountRegistration => accounts.enabled && accounts.registration != Registration::Closed,
        Cap::Chathistory | Cap::EventPlayback | Cap::ZncPlayback => settings.history,
        Cap::MessageRedaction => settings.allow_redact,
        Cap::Metadata2 | Cap::Metadata3 => settings.metadata.enabled,
        Cap::Persistence => accounts.enabled && accounts.always_on != AlwaysOn::Off,
        Cap::Relaymsg => !settings.relay_separators.is_empty(),
        Cap::Sasl => authenticate::mechanisms(session, settings).is_some(),
        Cap::Sts => sts(session, settings).is_some(),
        _ => true,
    }
}

/// Its value, as it is configured.
fn value(cap: Cap, session: &Session, settings: &Settings) -> Option<Cow<'static, str>> {
    match cap {
        Cap::AccountRegistration => {
            let rules = &settings.accounts;
            let keys = [(rules.before_connect, "before-connect"), (rules.require_email, "email-required")];
            let keys: Vec<_> = keys.into_iter().filter_map(|(set, key)| set.then_some(key)).collect();
            (!keys.is_empty()).then(|| keys.join(",").into())
        }
        Cap::Sasl => authenticate::mechanisms(session, settings).map(Cow::from),
        Cap::Sts => sts(session, settings).map(Cow::from),
        Cap::Multiline => {
            let Settings { multiline_max_bytes: bytes, multiline_max_lines: lines, .. } = settings;
            Some(format!("max-bytes={bytes},max-lines={lines}").into())
        }
        Cap::Metadata2 => Some(metadata_limits(settings).into()),
        Cap::Metadata3 => Some(format!("{},max-key-bytes={KEY_BYTES_MAX}", metadata_limits(settings)).into()),
        Cap::Relaymsg => Some(settings.relay_separators.to_string().into()),
        other => other.value().map(Cow::from),
    }
}

/// The part of the policy that concerns a session. Whoever came with TLS but looked for another host than this one
/// is told nothing: who answers for that host may want otherwise (sts, "Server Name Indication").
fn sts(session: &Session, settings: &Settings) -> Option<String> {
    let Sts { port, duration_seconds } = settings.sts?;
    match &session.tls_host {
        None => Some(format!("port={port}")),
        Some(host) if host.eq_ignore_ascii_case(&settings.server) => {
            Some(format!("duration={duration_seconds},port={port}"))
        }
        Some(_) => None,
    }
}

/// What a session that wants to know (`cap-notify`) is told when the configuration changes: capabilities that
/// are gone, and such as are new or have another value.
pub fn changes(session: &Session, who: &Text, before: &Settings, now: &Settings) -> Vec<Line> {
    let (mut gone, mut new) = (Vec::new(), Vec::new());
    for cap in Cap::ALL.iter().copied() {
        let offer = |settings| offered(cap, session, settings).then(|| value(cap, session, settings));
        match (offer(before), offer(now)) {
            // "Servers MUST NOT send CAP DEL to disable this capability"
            (Some(_), None) if cap == Cap::Sts => {
                new.extend(session.tls_host.as_ref().map(|_| "sts=duration=0".to_owned()));
            }
            (Some(_), None) => gone.push(cap.name().to_owned()),
            (was, Some(is)) if was.as_ref() != Some(&is) => new.push(match is {
                Some(value) => format!("{}={value}", cap.name()),
                None => cap.name().to_owned(),
            }),
            _ => {}
        }
    }
    let told = |subcommand: &'static str, words: Vec<String>| {
        (!words.is_empty()).then(|| line("CAP", [who.clone(), subcommand.into(), words.join(" ").into()]))
    };
    [told("DEL", gone), told("NEW", new)].into_iter().flatten().collect()
}

/// The capabilities of a session that are not offered any more.
pub fn withdrawn(session: &Session, now: &Settings) -> CapSet {
    session.caps.iter().filter(|cap| !offered(*cap, session, now)).collect()
}

/// What may be said of oneself, in the words of `draft/metadata-2`.
fn metadata_limits(settings: &Settings) -> String {
    let MetadataRules { before_connect, max_subs, max_keys, max_value_bytes, .. } = settings.metadata;
    let before = if before_connect { "before-connect," } else { "" };
    format!("{before}max-subs={max_subs},max-keys={max_keys},max-value-bytes={max_value_bytes}")
}

fn ls(chat: &Chat, asking: &mut Asking<'_>, version: Option<&str>) {
    hold(asking);
    // A number that is no number is as good as none.
    let version = version.and_then(|version| version.parse().ok()).unwrap_or(0);
    asking.session.cap_version = asking.session.cap_version.max(version);
    let values = version >= VERSION_VALUES;
    if values && !asking.session.caps.contains(Cap::CapNotify) {
        asking.session.caps.insert(Cap::CapNotify);
        asking.effects.push(Effect::Capabilities);
    }
    let (session, settings) = (&*asking.session, asking.settings);
    let names: Vec<_> = Cap::ALL
        .iter()
        .filter(|cap| offered(**cap, session, settings) && (values || **cap != Cap::Sts))
        .map(|cap| (cap.name(), value(*cap, session, settings).filter(|_| values)))
        .collect();
    listing(chat, asking, "LS", names.into_iter(), values);
}

/// Sends a list, in several lines where it must be. Clients older than 302 know no sign that more follows, and must
/// not be sent several lines: they are told of those that fit, the settled ones first
/// (<https://ircv3.net/specs/extensions/capability-negotiation#multiline-replies-to-cap-ls-and-cap-list>).
fn listing(
    chat: &Chat,
    asking: &mut Asking<'_>,
    subcommand: &'static str,
    names: impl Iterator<Item = (&'static str, Option<Cow<'static, str>>)>,
    several: bool,
) {
    let who = addressee(chat, asking);
    let room = room_for_last(&asking.settings.server, who.as_str(), subcommand.len() + " * ".len());
    if !several {
        let text = fitting(names.map(|(name, _)| name).collect(), room);
        return asking.reply(line("CAP", [who, subcommand.into(), text.into()]));
    }
    let words = names.map(|(name, value)| match value {
        Some(value) => format!("{name}={value}"),
        None => name.to_owned(),
    });
    let mut lines = several_lines(words.collect(), room);
    let last = lines.pop().unwrap_or(Text::Static(""));
    for text in lines {
        asking.reply(line("CAP", [who.clone(), subcommand.into(), Text::Static("*"), text]));
    }
    asking.reply(line("CAP", [who, subcommand.into(), last]));
}

/// The words in as many lines as they need. Where one is not enough, the ratified ones begin a line: there are clients
/// that read nothing but the last one (pydle 1.2), and what they know is there.
fn several_lines(words: Vec<String>, room: usize) -> Vec<Text> {
    let pack = |words: &[String]| {
        let mut packer = Packer::new(room);
        let mut lines: Vec<_> = words.iter().filter_map(|word| packer.word(&[word])).collect();
        lines.extend(packer.finish());
        lines
    };
    let lines = pack(&words);
    if lines.len() < 2 {
        return lines;
    }
    let (settled, others): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| is_settled(word));
    [pack(&others), pack(&settled)].concat()
}

/// Whether the specification of a capability, with its value or without, is ratified.
fn is_settled(word: &str) -> bool {
    Cap::from_name(word.split('=').next().unwrap_or(word)).is_some_and(|cap| cap.status() == Status::Ratified)
}

/// The names that fit so many bytes, in their order: all of them, or the settled ones before the others.
fn fitting(mut names: Vec<&'static str>, bytes_max: usize) -> String {
    let rank = |name: &&str| match Cap::from_name(name).map(Cap::status) {
        Some(Status::Ratified) => 0,
        Some(Status::Vendor) => 1,
        Some(Status::Draft) | None => 2,
    };
    let bytes = |names: &[&str]| names.iter().map(|name| name.len() + 1).sum::<usize>().saturating_sub(1);
    while bytes(&names) > bytes_max {
        // The last of those that are the least settled.
        let Some(at) = (0..names.len()).max_by_key(|at| (rank(&names[*at]), *at)) else { break };
        names.remove(at);
    }
    names.join(" ")
}

/// All of it, or nothing of it.
fn req(chat: &Chat, asking: &mut Asking<'_>, list: &str) {
    hold(asking);
    let wanted = wanted(asking, list);
    let answer = if wanted.is_some() { "ACK" } else { "NAK" };
    let who = addressee(chat, asking);
    let bytes_max = room_for_last(&asking.settings.server, who.as_str(), answer.len() + 1);
    let mut answers = Vec::new();
    if list.len() <= bytes_max {
        answers.push(Text::from(list.to_owned()));
    } else {
        let mut packer = Packer::new(bytes_max);
        answers.extend(list.split_ascii_whitespace().filter_map(|word| packer.word(&[word])));
        answers.extend(packer.finish());
    }
    for text in answers {
        asking.reply(line("CAP", [who.clone(), answer.into(), text]));
    }
    if let Some(wanted) = wanted.filter(|wanted| *wanted != asking.session.caps) {
        asking.session.caps = wanted;
        asking.effects.push(Effect::Capabilities);
    }
}

/// The capabilities after this request, if every one of them can be granted.
fn wanted(asking: &Asking<'_>, list: &str) -> Option<CapSet> {
    let mut caps = asking.session.caps;
    for word in list.split_ascii_whitespace() {
        let (name, enable) = match word.strip_prefix('-') {
            Some(name) => (name, false),
            None => (word, true),
        };
        let known = Cap::from_name(name).filter(|cap| *cap != Cap::Sts);
        let cap = known.filter(|cap| offered(*cap, asking.session, asking.settings))?;
        if enable {
            caps.insert(cap);
        } else if cap == Cap::CapNotify && asking.session.cap_version >= VERSION_VALUES {
            // Who speaks 302 has it whether or not it was asked for; it cannot be given back.
            return None;
        } else {
            caps.remove(cap);
        }
    }
    Some(caps)
}
