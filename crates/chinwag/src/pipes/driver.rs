//! One client over one socket, without a screen.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chinwag_client::{BufferId, Client, LineKind, Link, Millis, Profile};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::is_room;
use crate::Failure;
use crate::known::Known;
use crate::link::{self, ConnectError, Stream, Target};

/// How long the server may take to take what is sent to it.
const WRITE_WITHIN: Duration = Duration::from_secs(30);

/// How long goodbye may take.
const GOODBYE_WITHIN: Duration = Duration::from_millis(500);

/// A client and its link.
pub(super) struct Driver {
    pub(super) client: Client,
    target: Target,
    known: Known,
    file: Option<PathBuf>,
    stream: Option<Box<dyn Stream>>,
    /// Since when there is no link; none while there is one.
    alone_ms: Option<Millis>,
    was_in: bool,
    /// Milliseconds without a link after which a command gives up.
    patience_ms: Millis,
}

/// Now, in milliseconds since 1970.
pub(super) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

impl Driver {
    pub(super) fn new(
        profile: Profile,
        target: Target,
        known: Known,
        file: Option<PathBuf>,
        patience_ms: Millis,
    ) -> Result<Driver, Failure> {
        let mut seed = [0; 8];
        aws_lc_rs::rand::fill(&mut seed)
            .map_err(|_| Failure::Failed("this system gives no random bytes".into()))?;
        let client = Client::new(profile, u64::from_le_bytes(seed));
        Ok(Driver {
            client,
            target,
            known,
            file,
            stream: None,
            alone_ms: Some(now()),
            was_in: false,
            patience_ms,
        })
    }

    /// Does what can be done now, and waits until something happens: bytes, `other`, or the time that the client wants
    /// to be woken. Gives back what `other` came to, if it was that.
    pub(super) async fn step<T>(&mut self, other: impl Future<Output = T>) -> Result<Option<T>, Failure> {
        self.connect().await?;
        self.write().await;
        self.patience()?;
        let wake_ms = self.client.wake_at().map_or(60_000, |at_ms| at_ms.saturating_sub(now())).min(60_000);
        let sleep = tokio::time::sleep(Duration::from_millis(wake_ms));
        let mut piece = vec![0; 64 * 1024];
        let stream = &mut self.stream;
        let read = async {
            match stream {
                Some(stream) => stream.read(&mut piece).await,
                None => std::future::pending().await,
            }
        };
        let mut came = None;
        tokio::select! {
            count = read => match count {
                Ok(0) => self.closed("the server has closed the connection"),
                Ok(count) => self.client.receive(&piece[..count], now()),
                Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                    self.stream = None;
                    self.client.lost(&error.to_string(), now());
                }
                Err(error) => self.closed(&error.to_string()),
            },
            other = other => came = Some(other),
            () = sleep => {}
        }
        self.client.tick(now());
        self.write().await;
        Ok(came)
    }

    async fn connect(&mut self) -> Result<(), Failure> {
        if self.stream.is_some() || !self.client.wants_link(now()) {
            return Ok(());
        }
        let name = self.target.to_string();
        let pinned = self.known.servers.get(&name).and_then(|server| server.certificate.clone());
        match link::connect(&self.target, pinned.as_deref()).await {
            Ok(open) => {
                self.remember(&name, open.fingerprint);
                self.stream = Some(open.stream);
                self.client.opened(now());
                Ok(())
            }
            Err(ConnectError::OtherCertificate { shown }) => Err(Failure::Failed(format!(
                "{name} shows another certificate than before (SHA-256 {shown}): if its owner says that this is right, \
                 take the old one out of {}",
                self.file.as_deref().map_or("servers.toml".into(), |file| file.display().to_string())
            ))),
            Err(other @ ConnectError::NotAnnounced { .. }) => Err(Failure::Failed(other.to_string())),
            Err(ConnectError::Failed(why)) if !self.was_in => Err(Failure::Failed(format!(
                "no server answers ({why}): start one with `chinwag serve`, or say where one is with --address"
            ))),
            Err(ConnectError::Failed(why)) => {
                self.client.closed(&why, now());
                Ok(())
            }
        }
    }

    /// The first certificate of a server is remembered.
    fn remember(&mut self, name: &str, fingerprint: Option<String>) {
        let (Some(fingerprint), Some(file)) = (fingerprint, &self.file) else { return };
        let server = self.known.server(name);
        if server.certificate.as_ref() == Some(&fingerprint) {
            return;
        }
        eprintln!("chinwag: {name} is remembered by its certificate, SHA-256 {fingerprint}");
        server.certificate = Some(fingerprint);
        if let Err(why) = self.known.write(file) {
            eprintln!("chinwag: {why}");
        }
    }

    fn closed(&mut self, why: &str) {
        self.stream = None;
        self.client.closed(why, now());
    }

    async fn write(&mut self) {
        let bytes = self.client.output();
        let Some(stream) = &mut self.stream else { return };
        if !bytes.is_empty() {
            let write = async {
                stream.write_all(&bytes).await?;
                stream.flush().await
            };
            match timeout(WRITE_WITHIN, write).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => self.closed(&error.to_string()),
                Err(_) => {
                    self.stream = None;
                    self.client.lost("the server takes nothing more", now());
                }
            }
        }
        if self.client.wants_close() {
            self.closed("closed");
        }
    }

    /// Whether to go on without a link.
    fn patience(&mut self) -> Result<(), Failure> {
        match self.client.link() {
            Link::Refused { why } => return Err(Failure::Failed(sentence(why))),
            Link::Online { .. } => {
                self.was_in = true;
                self.alone_ms = None;
            }
            link => {
                let since_ms = *self.alone_ms.get_or_insert(now());
                if now().saturating_sub(since_ms) > self.patience_ms {
                    let why = match link {
                        Link::Waiting { why, .. } => why.to_string(),
                        _ => "it does not answer".into(),
                    };
                    return Err(Failure::Failed(format!("{} is lost: {why}", self.target)));
                }
            }
        }
        Ok(())
    }

    /// The rooms that are remembered of this server, or this one: they are entered now.
    pub(super) fn rooms_or(&mut self, room: &str) -> Vec<String> {
        let known = self.known.servers.get(&self.target.to_string());
        let mut rooms: Vec<String> = known.map(|known| known.rooms.clone()).unwrap_or_default();
        if rooms.is_empty() {
            rooms.push(room.to_owned());
        }
        for room in &mut rooms {
            let (name, key) =
                room.split_once(' ').map_or((room.as_str(), None), |(name, key)| (name, Some(key)));
            // What is no room's name here is left out by the server, too.
            let _ = self.client.join(name, key, now());
            *room = name.to_owned();
        }
        rooms
    }

    /// The room or conversation of this name, once what is to be known of it is known. An error if it cannot be entered.
    pub(super) fn entered(&mut self, name: &str) -> Result<Option<BufferId>, Failure> {
        if !self.client.is_online() {
            return Ok(None);
        }
        let id = match self.client.find(name) {
            Some(id) => id,
            None if is_room(name) => return Ok(None),
            None => self.client.query(name, now()),
        };
        let Some(buffer) = self.client.buffer(id) else { return Ok(None) };
        if !buffer.joined
            && let Some(line) = buffer.lines.iter().rev().find(|line| line.kind == LineKind::Error)
        {
            return Err(Failure::Failed(format!("{name} cannot be entered: {}", sentence(&line.text))));
        }
        Ok((buffer.joined && self.client.is_synced(id)).then_some(id))
    }

    /// Says goodbye.
    pub(super) async fn goodbye(mut self) {
        self.client.quit("");
        let bytes = self.client.output();
        if let Some(mut stream) = self.stream.take() {
            let last = async {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                // Until the server has taken everything in.
                let mut rest = [0; 1024];
                while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
            };
            let _ = timeout(GOODBYE_WITHIN, last).await;
        }
    }
}

/// A text that goes on in a sentence.
fn sentence(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(std::iter::once(second)).chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}
