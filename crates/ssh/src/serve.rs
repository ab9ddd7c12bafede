//! The door's thread: connections come in, each is a task, and who does not prove anything in time has to go.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chinwag_core::accounts::Verdict;
use chinwag_core::keys::SshKey;
use russh::keys::Algorithm;
use russh::server::{Config, run_stream};
use russh::{Disconnect, Limits, MethodKind, MethodSet, Preferred, SshId, compression};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use crate::guest::Guest;
use crate::porch::{Place, Porch};
use crate::wire::{Wire, cut};
use crate::{Ask, Knock, Options};

/// How long somebody may take to agree on keys and to prove something.
pub const PROVING: Duration = Duration::from_secs(60);

/// How long the first line of the protocol may take.
pub const BEGINNING: Duration = Duration::from_secs(10);

/// Connections that may be open.
pub const OPEN_MAX: usize = 2048;

/// Proofs that may be wrong on a connection, keys that were only offered counted in.
pub const ATTEMPTS_MAX: usize = 12;

/// How long whoever is disconnected may take to read why.
const PARTING: Duration = Duration::from_secs(2);

/// Bytes and time after which a connection takes new keys. Chat is small: a day's worth fits.
const REKEY_BYTES: usize = 1 << 30;
const REKEY_TIME: Duration = Duration::from_secs(3600);

/// Bytes that may be on their way to us in a channel, and in a packet.
pub const WINDOW_BYTES: u32 = 256 * 1024;
/// Bytes of a packet.
pub const PACKET_BYTES: u32 = 32 * 1024;

/// Silence after which the other side is asked whether it is there, and how often it may stay silent.
const KEEPALIVE: Duration = Duration::from_secs(60);
const KEEPALIVES: usize = 3;

/// How long an answer that a proof is wrong takes at least.
const WRONG: Duration = Duration::from_millis(300);

/// What the tasks of a door share.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) network: String,
    pub(crate) lobby: String,
    pub(crate) asks: mpsc::Sender<Ask>,
}

impl House {
    /// What somebody may do who asks to come in by a name, with a key or without.
    pub(crate) async fn judge(&self, name: &str, key: Option<Arc<SshKey>>) -> Verdict {
        let (answer, answered) = oneshot::channel();
        let ask = Ask::Judge { name: name.to_owned(), key, answer };
        let closed = || Verdict::Refused("the server is ending: try again in a moment".to_owned());
        match self.asks.send(ask).await {
            Ok(()) => answered.await.unwrap_or_else(|_| closed()),
            Err(_) => closed(),
        }
    }
}

/// Whether somebody has proved something yet.
#[derive(Debug, Default)]
pub(crate) struct Proof {
    given: AtomicBool,
    changed: Notify,
}

impl Proof {
    pub(crate) fn give(&self) {
        self.given.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    async fn wait(&self) {
        while !self.given.load(Ordering::Acquire) {
            self.changed.notified().await;
        }
    }
}

/// Takes connections until nobody can bring any.
pub(crate) async fn serve(options: Options, mut knocks: mpsc::Receiver<Knock>, porch: Arc<Porch>) {
    let Options { host_key, network, lobby, asks } = options;
    let config = Arc::new(config(host_key.0));
    let house = Arc::new(House { network, lobby, asks });
    let open = Arc::new(Semaphore::new(OPEN_MAX));
    while let Some(knock) = knocks.recv().await {
        let places = (porch.enter(knock.from, knock.exempt), Arc::clone(&open).try_acquire_owned());
        let (Some(unproved), Ok(open)) = places else {
            tracing::info!(from = %knock.from, "too many are at the ssh door: one was turned away");
            continue;
        };
        let (config, house) = (Arc::clone(&config), Arc::clone(&house));
        tokio::spawn(async move {
            let Knock { stream, first, from, left, .. } = knock;
            tracing::debug!(%from, "somebody is at the ssh door");
            match TcpStream::from_std(stream) {
                Ok(stream) => connection(Arc::new(stream), first, from, (config, house), unproved).await,
                Err(error) => tracing::warn!(%error, "a connection could not be taken over"),
            }
            drop((left, open));
        });
    }
}

/// One connection, from the first byte to the last.
async fn connection(
    stream: Arc<TcpStream>,
    first: Vec<u8>,
    from: std::net::IpAddr,
    (config, house): (Arc<Config>, Arc<House>),
    unproved: Place,
) {
    let proof = Arc::new(Proof::default());
    let guest = Guest::new(from, house, Arc::clone(&proof));
    let wire = Wire::new(first, Arc::clone(&stream));
    let Ok(Ok(mut running)) = timeout(BEGINNING, run_stream(config, wire, guest)).await else {
        return cut(&stream);
    };
    let ended = tokio::select! {
        ended = &mut running => Some(ended),
        in_time = timeout(PROVING, proof.wait()) => {
            if in_time.is_err() {
                let words = "You took too long to prove who you are: try again".to_owned();
                let handle = running.handle();
                // It hears of it, or is gone.
                let _ = handle.disconnect(Disconnect::ByApplication, words, String::new()).await;
                let _ = timeout(PARTING, &mut running).await;
                return cut(&stream);
            }
            None
        }
    };
    drop(unproved);
    let ended = match ended {
        Some(ended) => ended,
        None => running.await,
    };
    if let Err(error) = ended {
        tracing::debug!(%from, %error, "an ssh connection ended");
    }
    cut(&stream);
}

fn config(host_key: russh::keys::PrivateKey) -> Config {
    let mut methods = MethodSet::empty();
    methods.push(MethodKind::PublicKey);
    methods.push(MethodKind::Password);
    let keys = Preferred::DEFAULT.key.iter().filter(|algorithm| **algorithm != Algorithm::Rsa { hash: None });
    let preferred = Preferred {
        key: Cow::Owned(keys.cloned().collect()),
        // Only what begins after somebody has proved something.
        compression: Cow::Borrowed(&[compression::NONE, compression::ZLIB_LEGACY]),
        ..Preferred::DEFAULT
    };
    let id = format!("SSH-2.0-chinwag_{}", env!("CARGO_PKG_VERSION"));
    Config {
        server_id: SshId::Standard(Cow::Owned(id)),
        methods,
        auth_rejection_time: WRONG,
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![host_key],
        limits: Limits::new(REKEY_BYTES, REKEY_BYTES, REKEY_TIME),
        window_size: WINDOW_BYTES,
        maximum_packet_size: PACKET_BYTES,
        channel_buffer_size: 16,
        event_buffer_size: 16,
        preferred,
        max_auth_attempts: ATTEMPTS_MAX,
        inactivity_timeout: None,
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVES,
        ..Config::default()
    }
}
