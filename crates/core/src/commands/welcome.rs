//! What a new user is sent first: the welcome, what the server supports, how many are here, the message of the
//! day. Made for every registration, hence made of text that was prepared once.

use std::sync::{Arc, OnceLock};

use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::isupport::{Limits, lines};
use chinwag_wire::numeric::Numeric;

use crate::chat::{Chat, UserModes};
use crate::commands::reply::{answer, line, tell};
use crate::commands::{isupport, list, lusers, metadata, mode_room, motd, persistence, privmsg};
use crate::effect::Effects;
use crate::figures::Figures;
use crate::ids::UserId;
use crate::line::Text;
use crate::settings::Settings;
use crate::span::Span;

/// Room modes there are.
pub(crate) const ROOM_MODES: &str = "CEIMRUabefhiklmnoqstuv";

/// Those of them that come with an argument.
const ROOM_MODES_WITH_ARGUMENT: &str = "Iabefhkloqv";

/// Text that follows from the settings and is sent again and again.
#[derive(Debug, Default)]
pub struct Prepared(OnceLock<Lines>);

/// The text itself.
#[derive(Debug)]
pub(crate) struct Lines {
    /// RPL_WELCOME as far as the nickname.
    pub(crate) welcome: String,
    /// RPL_YOURHOST.
    pub(crate) your_host: Arc<str>,
    /// RPL_CREATED.
    pub(crate) created: Arc<str>,
    /// RPL_ISUPPORT: the parameters of each line.
    pub(crate) isupport: Vec<Vec<Text>>,
    /// RPL_MOTDSTART.
    pub(crate) motd_start: Arc<str>,
    /// RPL_MOTD.
    pub(crate) motd: Vec<Arc<str>>,
}

/// A copy of the settings may be changed before it is used: it prepares its own text.
impl Clone for Prepared {
    fn clone(&self) -> Self {
        Prepared::default()
    }
}

impl Settings {
    /// Text that follows from these settings, made at the first call.
    pub(crate) fn prepared(&self) -> &Lines {
        self.prepared.0.get_or_init(|| Lines::new(self))
    }
}

impl Lines {
    fn new(settings: &Settings) -> Self {
        let Settings { server, network, version, created, .. } = settings;
        Lines {
            welcome: format!("Welcome to the {network} Network, "),
            your_host: format!("Your host is {server}, running version {version}").into(),
            created: format!("This server was created {created}").into(),
            isupport: tokens(settings),
            motd_start: format!("- {server} Message of the day - ").into(),
            motd: settings.motd.iter().map(|line| format!("- {line}").into()).collect(),
        }
    }
}

/// RPL_ISUPPORT: the parameters of each line.
fn tokens(settings: &Settings) -> Vec<Vec<Text>> {
    let limits = Limits {
        network: settings.network.to_string(),
        casemapping: settings.casemapping,
        utf8_only: settings.utf8_only,
        nick_length: settings.nick_length,
        channel_length: settings.channel_length,
        topic_length: settings.topic_length,
        away_length: settings.away_length,
        kick_length: settings.kick_length,
        list_mode_entries: settings.list_mode_entries,
        channels_per_user: settings.channels_per_user,
        monitor_entries: settings.monitor_entries,
        targets: privmsg::TARGETS_MAX,
        list_words: list::CONDITIONS_MAX,
        modes: mode_room::CHANGES_MAX,
        filehost: settings.filehost.as_deref().map(str::to_owned),
        icon: settings.icon.as_deref().map(str::to_owned),
        roleplay: settings.roleplay.enabled,
        denied_tags: settings.client_tags_denied.join(","),
        history: settings.history.then_some(settings.history_query_max),
    };
    let text = || [Text::Static(Numeric::RPL_ISUPPORT.text())];
    let params = |tokens: Vec<String>| tokens.into_iter().map(shared).chain(text()).collect();
    lines(&limits).into_iter().map(params).collect()
}

/// A text that is handed on without being copied.
fn shared(text: String) -> Text {
    Text::Shared(text.into())
}

impl Chat {
    /// What a session is sent when it has become a user's (on [`crate::effect::Effect::Registered`]): lines for
    /// [`crate::effect::To::Asker`].
    pub fn welcome(
        &self,
        settings: &Settings,
        figures: &Figures,
        caps: CapSet,
        user: UserId,
        effects: &mut Effects,
    ) {
        let Some(found) = self.user(user) else { return };
        let prepared = settings.prepared();
        let nick = &found.who.nick;
        let mut welcome = String::with_capacity(prepared.welcome.len() + nick.len());
        welcome.extend([&prepared.welcome, &**nick]);
        answer(effects, Numeric::RPL_WELCOME, [welcome.into()]);
        answer(effects, Numeric::RPL_YOURHOST, [(&prepared.your_host).into()]);
        answer(effects, Numeric::RPL_CREATED, [(&prepared.created).into()]);
        let modes = [UserModes::ALL, ROOM_MODES, ROOM_MODES_WITH_ARGUMENT].map(Text::Static);
        let [user_modes, room_modes, with_argument] = modes;
        let server =
            [(&settings.server).into(), (&settings.version).into(), user_modes, room_modes, with_argument];
        answer(effects, Numeric::RPL_MYINFO, server);
        isupport::lines(settings, caps, effects);
        lusers::lines(self, figures, user, effects);
        metadata::on_arrival(self, found, caps, effects);
        let account = found.who.account.as_ref().and_then(|account| self.account(account));
        if let Some(account) = account.filter(|_| caps.contains(Cap::Persistence)) {
            tell(effects, persistence::status(account, settings));
        }
        motd::lines(settings, effects);
        if let Some(keep_ms) = settings.history_keep_ms {
            let text = format!("What is said here disappears after {}", Span(keep_ms));
            tell(effects, line("NOTICE", [Text::from(nick), text.into()]));
        }
    }
}
