//! Somebody at the door, as russh asks about them: which proof is good, and what they may have then. Everything that
//! is not a session's terminal or command is refused: forwarding, agents, X11, environment, subsystems.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use chinwag_core::accounts::Verdict;
use chinwag_core::keys::{Shown, SshKey};
use russh::keys::{Algorithm, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, ChannelOpenFailure, MethodKind, MethodSet, Pty};

use crate::channel::{self, Terminal, What};
use crate::password::{self, Tried};
use crate::serve::{House, Proof};

/// Channels that a connection may have open.
pub const CHANNELS_MAX: usize = 8;

/// Passwords that may be wrong before it is said what to do.
const PASSWORDS_MAX: u8 = 3;

/// The other side of a connection.
pub(crate) struct Guest {
    from: IpAddr,
    house: Arc<House>,
    proof: Arc<Proof>,
    /// As whom they come in, once that is decided.
    entry: Option<Arc<Entry>>,
    /// The first key that was offered and proves nothing yet.
    offered: Option<Arc<SshKey>>,
    passwords: u8,
    channels: HashMap<ChannelId, Waiting>,
}

/// As whom somebody comes in.
#[derive(Debug)]
pub(crate) enum Entry {
    /// By this nickname, with what was shown.
    In {
        /// The nickname.
        nick: String,
        /// What it is based on.
        shown: Shown,
    },
    /// Not at all; the sentence says what to do.
    Out(String),
}

/// A channel in which nothing runs yet.
struct Waiting {
    channel: Option<Channel<Msg>>,
    terminal: Option<Terminal>,
}

impl Guest {
    pub(crate) fn new(from: IpAddr, house: Arc<House>, proof: Arc<Proof>) -> Guest {
        let channels = HashMap::new();
        Guest { from, house, proof, entry: None, offered: None, passwords: 0, channels }
    }

    /// What a key is worth, proved or only offered.
    async fn weigh(&mut self, user: &str, public: &PublicKey, algorithm: &Algorithm) -> Option<Entry> {
        if *algorithm == (Algorithm::Rsa { hash: None }) {
            // SHA-1.
            return None;
        }
        let key = public.to_openssh().ok().and_then(|line| SshKey::parse(&line)).map(Arc::new)?;
        let inside = |account: Option<Arc<str>>, claims| {
            let nick = account.as_deref().unwrap_or(user).to_owned();
            Some(Entry::In { nick, shown: Shown { account, key: Some(Arc::clone(&key)), claims } })
        };
        match self.house.judge(user, Some(Arc::clone(&key))).await {
            Verdict::Proves(account) => inside(Some(account), false),
            Verdict::Claims => inside(None, true),
            Verdict::Guest => inside(None, false),
            Verdict::Elsewhere { .. } => {
                self.offered.get_or_insert(key);
                None
            }
            Verdict::Refused(why) => Some(Entry::Out(why)),
        }
    }

    fn let_in(&mut self, entry: Entry) -> Auth {
        // Whoever may only read why they may not come in has no more time for it than for a proof.
        if matches!(entry, Entry::In { .. }) {
            self.proof.give();
        }
        self.entry = Some(Arc::new(entry));
        Auth::Accept
    }

    /// A password, or a code of LINK.
    async fn password(&mut self, user: &str, password: &str) -> Option<Entry> {
        let (account, has_password) = match self.house.judge(user, None).await {
            Verdict::Elsewhere { account, password } => (account, password),
            Verdict::Proves(account) => (account, false),
            // There is nothing to prove: whoever has no key comes in as anybody does at the other doors.
            Verdict::Claims | Verdict::Guest => {
                let shown = Shown { account: None, key: None, claims: false };
                return Some(Entry::In { nick: user.to_owned(), shown });
            }
            Verdict::Refused(why) => return Some(Entry::Out(why)),
        };
        let key = self.offered.clone();
        match password::check(&self.house, self.from, (&account, key), password, has_password).await {
            Tried::Right(shown) => Some(Entry::In { nick: account.to_string(), shown }),
            Tried::Wrong => {
                self.passwords += 1;
                let over = self.passwords >= PASSWORDS_MAX || !has_password;
                over.then(|| Entry::Out(what_to_do(&account, has_password)))
            }
            Tried::Failed(why) => Some(Entry::Out(why)),
        }
    }

    /// Takes a channel in which something is to run.
    fn take(&mut self, channel: ChannelId) -> Option<(Channel<Msg>, Option<Terminal>)> {
        let waiting = self.channels.get_mut(&channel)?;
        Some((waiting.channel.take()?, waiting.terminal.take()))
    }

    fn run(&mut self, id: ChannelId, what: What, session: &mut Session) -> Result<(), russh::Error> {
        let Some(entry) = self.entry.clone() else { return session.channel_failure(id) };
        match self.take(id) {
            Some((channel, terminal)) => {
                session.channel_success(id)?;
                channel::start(channel, terminal, what, entry, (self.from, Arc::clone(&self.house)));
                Ok(())
            }
            None => session.channel_failure(id),
        }
    }
}

/// For somebody whose key and password do not prove the name that they want.
fn what_to_do(account: &str, has_password: bool) -> String {
    let instead = if has_password { "its password" } else { "one of its ssh keys" };
    format!(
        "{account} is somebody's account, and nothing that you showed proves that it is yours. If it is: come in with \
         {instead}, or type LINK where you are logged in (any door) and give its code instead of a password; your key \
         is added then. If not: choose another nickname, ssh NICKNAME@host."
    )
}

fn wrong() -> Auth {
    let mut methods = MethodSet::empty();
    methods.push(MethodKind::PublicKey);
    methods.push(MethodKind::Password);
    Auth::Reject { proceed_with_methods: Some(methods), partial_success: false }
}

impl Handler for Guest {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        let good = self.weigh(user, offer.public_key, offer.algorithm).await.is_some();
        Ok(if good { Auth::Accept } else { wrong() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let entry = self.weigh(user, key.public_key, key.algorithm).await;
        Ok(entry.map_or_else(wrong, |entry| self.let_in(entry)))
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let entry = self.password(user, password).await;
        Ok(entry.map_or_else(wrong, |entry| self.let_in(entry)))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.channels.len() >= CHANNELS_MAX {
            reply.reject(ChannelOpenFailure::ResourceShortage).await;
            return Ok(());
        }
        let waiting = Waiting { terminal: None, channel: None };
        self.channels.insert(channel.id(), Waiting { channel: Some(channel), ..waiting });
        reply.accept().await;
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), Self::Error> {
        self.channels.remove(&channel);
        Ok(())
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        term: &str,
        columns: u32,
        rows: u32,
        _pix_width: u32,
        _pix_height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        match self.channels.get_mut(&channel) {
            Some(waiting) => {
                waiting.terminal = Some(Terminal::new(term, columns, rows));
                session.channel_success(channel)
            }
            None => session.channel_failure(channel),
        }
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _single_connection: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn shell_request(&mut self, channel: ChannelId, session: &mut Session) -> Result<(), Self::Error> {
        self.run(channel, What::Shell, session)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let command = String::from_utf8_lossy(command).into_owned();
        self.run(channel, What::Command(command), session)
    }
}
