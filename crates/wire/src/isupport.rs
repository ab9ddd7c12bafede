//! RPL_ISUPPORT as one table: what clients are told of limits and features.
//!
//! A new token is one row.

use crate::casemap::CaseMapping;
use crate::extban;
use crate::limits::{
    ISUPPORT_TOKENS_MAX, KEY_BYTES_MAX, LINE_BYTES_MAX, REALNAME_BYTES_MAX, USERNAME_BYTES_MAX,
};

/// What the tokens are made from. Lengths are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The network's name.
    pub network: String,
    /// Which names are the same.
    pub casemapping: CaseMapping,
    /// Whether what is not UTF-8 is refused.
    pub utf8_only: bool,
    /// Of a nickname.
    pub nick_length: usize,
    /// Of a room's name.
    pub channel_length: usize,
    /// Of a topic.
    pub topic_length: usize,
    /// Of an away message.
    pub away_length: usize,
    /// Of a kick reason.
    pub kick_length: usize,
    /// Entries of a room's list mode.
    pub list_mode_entries: usize,
    /// Rooms a user may be in.
    pub channels_per_user: usize,
    /// Nicknames that a session may watch.
    pub monitor_entries: usize,
    /// Targets of one PRIVMSG, NOTICE or TAGMSG.
    pub targets: usize,
    /// Rooms, masks and conditions of one LIST.
    pub list_words: usize,
    /// Mode changes with a parameter in one MODE.
    pub modes: usize,
    /// The address of the network's icon, if it has one.
    pub icon: Option<String>,
    /// Where clients send files, if they can.
    pub filehost: Option<String>,
    /// Client-only tags that are not handed on, as CLIENTTAGDENY lists them; empty for none.
    pub denied_tags: String,
    /// Whether people may speak as somebody made up, in rooms with mode `E`.
    pub roleplay: bool,
    /// Messages of one CHATHISTORY answer; none where history is not to be asked for.
    pub history: Option<u32>,
}

type Value = fn(&Limits) -> Option<String>;

/// Every token: its name, and its value under these limits. No value: not sent; an empty value: no `=`.
const TOKENS: &[(&str, Value)] = &[
    ("NETWORK", |of| Some(escape(&of.network))),
    ("draft/ICON", |of| of.icon.as_deref().map(escape)),
    ("CASEMAPPING", |of| Some(of.casemapping.name().into())),
    ("UTF8ONLY", |of| of.utf8_only.then(String::new)),
    ("CHANTYPES", |_| Some("#".into())),
    ("PREFIX", |_| Some("(qaohv)~&@%+".into())),
    ("STATUSMSG", |_| Some("~&@%+".into())),
    ("CHANMODES", |_| Some("Ibe,k,fl,CEMRUimnstu".into())),
    ("EXCEPTS", |_| Some(String::new())),
    ("INVEX", |_| Some(String::new())),
    ("EXTBAN", |_| Some(format!(",{}", extban::LETTERS))),
    ("ACCOUNTEXTBAN", |_| Some(extban::ACCOUNT_NAMES.into())),
    ("MODES", |of| Some(of.modes.to_string())),
    ("MAXLIST", |of| Some(["b", "e", "I"].map(|list| format!("{list}:{}", of.list_mode_entries)).join(","))),
    ("CHANLIMIT", |of| Some(format!("#:{}", of.channels_per_user))),
    ("NICKLEN", |of| Some(of.nick_length.to_string())),
    ("CHANNELLEN", |of| Some(of.channel_length.to_string())),
    ("TOPICLEN", |of| Some(of.topic_length.to_string())),
    ("KICKLEN", |of| Some(of.kick_length.to_string())),
    ("AWAYLEN", |of| Some(of.away_length.to_string())),
    ("NAMELEN", |_| Some(REALNAME_BYTES_MAX.to_string())),
    ("USERLEN", |_| Some(USERNAME_BYTES_MAX.to_string())),
    ("KEYLEN", |_| Some(KEY_BYTES_MAX.to_string())),
    ("LINELEN", |_| Some(LINE_BYTES_MAX.to_string())),
    ("MAXTARGETS", |of| Some(of.targets.to_string())),
    ("TARGMAX", |of| {
        let to = of.targets;
        Some(format!(
            "PRIVMSG:{to},NOTICE:{to},TAGMSG:{to},JOIN:,PART:,KICK:{to},NAMES:,LIST:{},WHOIS:1,WHOWAS:1,ACCEPT:,MONITOR:",
            of.list_words
        ))
    }),
    ("CLIENTTAGDENY", |of| Some(of.denied_tags.clone()).filter(|tags| !tags.is_empty())),
    ("ELIST", |_| Some("CMNTU".into())),
    ("BOT", |_| Some("B".into())),
    ("RPCHAN", |of| of.roleplay.then(|| "E".into())),
    ("MONITOR", |of| Some(of.monitor_entries.to_string())),
    ("WHOX", |_| Some(String::new())),
    ("SAFELIST", |_| Some(String::new())),
    ("CHATHISTORY", |of| of.history.map(|most| most.to_string())),
    ("MSGREFTYPES", |of| of.history.map(|_| "msgid,timestamp".into())),
    ("draft/FILEHOST", |of| of.filehost.as_deref().map(escape)),
    ("soju.im/FILEHOST", |of| of.filehost.as_deref().map(escape)),
];

/// All tokens, `NAME` or `NAME=value`.
pub fn tokens(limits: &Limits) -> Vec<String> {
    let token = |(name, value): &(&str, Value)| match value(limits)? {
        value if value.is_empty() => Some((*name).to_string()),
        value => Some(format!("{name}={value}")),
    };
    TOKENS.iter().filter_map(token).collect()
}

/// Bytes of the tokens of one line with their spaces: room is left for the server's name, the nickname and the text.
const TOKENS_BYTES_MAX: usize = 380;

/// The tokens of each RPL_ISUPPORT line.
pub fn lines(limits: &Limits) -> Vec<Vec<String>> {
    let mut lines: Vec<Vec<String>> = Vec::new();
    let mut bytes = 0;
    for token in tokens(limits) {
        bytes += token.len() + 1;
        match lines.last_mut() {
            Some(line) if line.len() < ISUPPORT_TOKENS_MAX && bytes <= TOKENS_BYTES_MAX => line.push(token),
            _ => {
                bytes = token.len() + 1;
                lines.push(vec![token]);
            }
        }
    }
    lines
}

/// A value in which every byte that could end it is written as `\xHH`.
fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            ' ' | '=' | '\\' => text.push_str(&format!("\\x{:02X}", u32::from(c))),
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            network: "Tea = Time".into(),
            casemapping: CaseMapping::Ascii,
            utf8_only: true,
            nick_length: 32,
            channel_length: 64,
            topic_length: 390,
            away_length: 390,
            kick_length: 390,
            list_mode_entries: 100,
            channels_per_user: 100,
            monitor_entries: 100,
            targets: 4,
            list_words: 20,
            modes: 8,
            icon: Some("https://example.org/icon.svg?size=64".into()),
            filehost: Some("https://example.org/api/v1/files".into()),
            denied_tags: "*,-typing".into(),
            roleplay: true,
            history: Some(100),
        }
    }

    #[test]
    fn values_come_from_the_limits() {
        let all = tokens(&limits());
        for token in [
            "NETWORK=Tea\\x20\\x3D\\x20Time",
            "NICKLEN=32",
            "CHATHISTORY=100",
            "UTF8ONLY",
            "MAXLIST=b:100,e:100,I:100",
            "draft/ICON=https://example.org/icon.svg?size\\x3D64",
            "CLIENTTAGDENY=*,-typing",
            "soju.im/FILEHOST=https://example.org/api/v1/files",
        ] {
            assert!(all.iter().any(|other| other == token), "{token} not in {all:?}");
        }
        let without = tokens(&Limits { history: None, ..limits() });
        assert!(!without.iter().any(|token| token.starts_with("CHATHISTORY") || token.starts_with("MSGREF")));
    }

    #[test]
    fn lines_have_the_form_that_clients_expect() {
        let icon = Some(format!("https://example.org/{}", "x".repeat(230)));
        let limits = Limits { icon, ..limits() };
        let lines = lines(&limits);
        assert_eq!(lines.concat(), tokens(&limits));
        for line in &lines {
            assert!(line.len() <= ISUPPORT_TOKENS_MAX);
            assert!(
                line.iter().map(|token| token.len() + 1).sum::<usize>() <= TOKENS_BYTES_MAX,
                "room for server and nickname"
            );
            assert!(line.iter().all(|token| !token.contains(' ') && !token.starts_with(':')));
        }
        let names: std::collections::HashSet<_> = TOKENS.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), TOKENS.len());
    }
}
