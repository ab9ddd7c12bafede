//! ACME (RFC 8555): a certificate for the configured names, ordered from an authority, renewed when a third of its life is
//! left, and taken without dropping anybody.
//!
//! What lives here: when to order, and the thread that does it, so that neither the authority's pace nor the keys' cost
//! reaches the chat. What does not: the order itself (`order`), the bytes to the authority (`http`), what is kept
//! (`store`), and the answers to the authority's questions, which the listeners give from the [`Board`].

mod board;
mod http;
mod order;
mod store;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use crate::clock::now_ms;
use crate::config::{AcmeConfig, Challenge, Config, TlsMode};
use crate::hub::Order as Told;
pub(crate) use board::Board;
use store::Failure;
pub use store::{CERTIFICATE, Kept};

/// How long an order may take, all in all.
const ORDER_WITHIN: Duration = Duration::from_secs(300);

/// The wait after the first failure, in milliseconds; each further one doubles it. Authorities refuse who fails more than
/// a few times an hour.
const AGAIN_MS: u64 = 5 * 60_000;
const AGAIN_MS_MAX: u64 = 12 * 3_600_000;

/// After a start nothing is tried sooner than so long after the last failure: a service that is restarted in a loop does
/// not knock each time.
const AFTER_START_MS: u64 = 60_000;

/// The longest sleep: clocks are set, and machines sleep.
const LOOK_AGAIN: Duration = Duration::from_secs(6 * 3600);

/// The ports where authorities look.
const HTTP_PORT: u16 = 80;
const TLS_PORT: u16 = 443;

/// Orders certificates while the server runs.
pub(crate) struct Acme {
    folder: PathBuf,
    board: Arc<Board>,
    orders: mpsc::WeakSender<Told>,
    running: RefCell<Option<watch::Sender<Wanted>>>,
}

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    config: AcmeConfig,
    /// The way to try first; none where no port tells.
    first: Option<Challenge>,
}

impl Wanted {
    fn new(config: &Config) -> Wanted {
        let open = |port: u16, plain: bool| {
            config.listeners.0.iter().any(|listener| {
                let here = listener.address.tcp().is_some_and(|address| address.port() == port);
                here && if plain { listener.tls != TlsMode::Only } else { listener.tls != TlsMode::Off }
            })
        };
        let first = match config.acme.challenge {
            Challenge::Auto if open(TLS_PORT, false) => Some(Challenge::Tls),
            Challenge::Auto if open(HTTP_PORT, true) => Some(Challenge::Http),
            Challenge::Auto => None,
            named => Some(named),
        };
        Wanted { config: config.acme.clone(), first }
    }

    /// The way for the try after so many failures: where a way was not named, the other one in turn.
    fn challenge(&self, failures: u32) -> Challenge {
        let (one, other) = match self.first {
            Some(Challenge::Http) => (Challenge::Http, Challenge::Tls),
            _ => (Challenge::Tls, Challenge::Http),
        };
        let named = self.config.challenge != Challenge::Auto;
        if named || failures.is_multiple_of(2) { one } else { other }
    }
}

impl Acme {
    /// Nothing is ordered yet. `folder` is the data folder.
    pub(crate) fn new(folder: &Path, board: Arc<Board>, orders: mpsc::WeakSender<Told>) -> Acme {
        Acme { folder: folder.to_owned(), board, orders, running: RefCell::default() }
    }

    /// Orders from now on what this configuration asks for. The thread is there from the first time on that it asks for
    /// something.
    pub(crate) fn configure(&self, config: &Config) -> io::Result<()> {
        let mut running = self.running.borrow_mut();
        if let Some(sender) = &*running {
            sender.send_if_modified(|wanted| {
                let new = Wanted::new(config);
                let other = *wanted != new;
                *wanted = new;
                other
            });
            return Ok(());
        }
        if !config.acme.enabled() {
            return Ok(());
        }
        let (sender, wanted) = watch::channel(Wanted::new(config));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (folder, board, orders) = (self.folder.clone(), Arc::clone(&self.board), self.orders.clone());
        // It ends when the sender is dropped, with the server.
        thread::Builder::new().name("acme".to_owned()).spawn(move || {
            runtime.block_on(run(wanted, &folder, &board, &orders));
        })?;
        *running = Some(sender);
        Ok(())
    }
}

/// Orders whatever is due, until nobody wants anything any more.
async fn run(
    mut wanted: watch::Receiver<Wanted>,
    folder: &Path,
    board: &Arc<Board>,
    orders: &mpsc::WeakSender<Told>,
) {
    let started_ms = now_ms();
    loop {
        let now = wanted.borrow_and_update().clone();
        let kept = Kept::read(folder);
        let due_ms = due(&now, &kept, started_ms);
        let wait = due_ms.map_or(LOOK_AGAIN, |at| Duration::from_millis(at.saturating_sub(now_ms())));
        if !wait.is_zero() {
            tokio::select! {
                () = sleep(wait.min(LOOK_AGAIN)) => {}
                changed = wanted.changed() => if changed.is_err() { return },
            }
            continue;
        }
        let ordering = attempt(&now, folder, kept, board);
        let done = tokio::select! {
            done = ordering => done,
            changed = wanted.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        if done && let Some(orders) = orders.upgrade() {
            // A full queue holds eight orders, one of which swaps certificates too, or the end.
            let _ = orders.send(Told::Recertify).await;
        }
    }
}

/// When the next order is due; none for never.
fn due(wanted: &Wanted, kept: &Kept, started_ms: u64) -> Option<u64> {
    let config = &wanted.config;
    if !config.enabled() {
        return None;
    }
    let renewal = kept.renewal(config).unwrap_or(0);
    let again = kept.failure.as_ref().map_or(0, |failure| {
        // Who starts the server again has perhaps mended something.
        let wait = if failure.at_ms < started_ms { AFTER_START_MS } else { backoff(failure.tries) };
        failure.at_ms + jittered(wait, failure.at_ms)
    });
    Some(renewal.max(again))
}

/// The wait after so many failures, one after the other.
fn backoff(tries: u32) -> u64 {
    AGAIN_MS.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(AGAIN_MS_MAX)
}

/// Up to a fifth more: not every server comes in the same moment after the authority was away.
fn jittered(wait: u64, seed: u64) -> u64 {
    let dice = (seed ^ u64::from(std::process::id())).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    wait + wait / 5 * dice / (1 << 32)
}

/// One order. Whether there is a new certificate.
async fn attempt(wanted: &Wanted, folder: &Path, mut kept: Kept, board: &Arc<Board>) -> bool {
    let failures = kept.failure.as_ref().map_or(0, |failure| failure.tries);
    let challenge = wanted.challenge(failures);
    let names = wanted.config.domains.join(", ");
    tracing::info!(%names, ?challenge, "ordering a certificate");
    let ordered = timeout(ORDER_WITHIN, order::order(&wanted.config, challenge, &mut kept, board)).await;
    board.clear();
    let result = match ordered {
        Ok(Ok(pem)) => kept.write_certificate(folder, &pem).map_err(|error| error.to_string()),
        Ok(Err(why)) => Err(why),
        Err(_) => Err(format!("it took more than {} seconds", ORDER_WITHIN.as_secs())),
    };
    let done = result.is_ok();
    match result {
        Ok(()) => {
            (kept.failure, kept.domains) = (None, wanted.config.domains.clone());
            tracing::info!(%names, "there is a new certificate");
        }
        Err(why) => {
            board.failed();
            let tries = failures.saturating_add(1);
            tracing::error!(%names, ?challenge, %why, tries, "no certificate could be had; it is tried again");
            kept.failure = Some(Failure { at_ms: now_ms(), tries, why });
        }
    }
    if let Err(error) = kept.write(folder) {
        tracing::error!(%error, "what is known of the certificate authority cannot be written down");
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Wanted {
        Wanted::new(&Config::parse(text, Path::new("test")).unwrap())
    }

    #[test]
    fn ports_say_how_the_authority_looks_and_otherwise_each_way_has_its_turn() {
        let acme = "[acme]\ndomains = [\"chat.example\"]\nterms_agreed = true\n";
        let at = |port: &str, tls: &str| {
            let listener = format!("[[listener]]\naddress = \"0.0.0.0:{port}\"\ntls = \"{tls}\"\n");
            let wanted = wanted(&format!("{acme}{listener}"));
            [wanted.challenge(0), wanted.challenge(1)]
        };
        assert_eq!(at("443", "auto"), [Challenge::Tls, Challenge::Http]);
        assert_eq!(at("80", "auto"), [Challenge::Http, Challenge::Tls]);
        assert_eq!(at("80", "only"), [Challenge::Tls, Challenge::Http]);
        assert_eq!(at("55555", "auto"), [Challenge::Tls, Challenge::Http]);
        let named = wanted(&format!("{acme}challenge = \"http-01\"\n"));
        assert_eq!([named.challenge(0), named.challenge(1)], [Challenge::Http; 2]);
    }

    #[test]
    fn failures_are_waited_for_longer_each_time_but_not_for_ever() {
        assert_eq!([backoff(1), backoff(2), backoff(3)], [5, 10, 20].map(|minutes| minutes * 60_000));
        assert_eq!(backoff(u32::MAX), AGAIN_MS_MAX);
        for seed in 0..1_000 {
            assert!((1_000..=1_200).contains(&jittered(1_000, seed)));
        }
        let wanted = wanted("[acme]\ndomains = [\"chat.example\"]\nterms_agreed = true\n");
        let failed = |at_ms, tries| {
            let kept = Kept { failure: Some(Failure { at_ms, tries, why: "x".into() }), ..Kept::default() };
            due(&wanted, &kept, 1_000).unwrap()
        };
        assert!(failed(2_000, 2) >= 2_000 + 10 * 60_000);
        // Before this start.
        assert!(failed(500, 9) < 500 + 2 * AFTER_START_MS);
        assert_eq!(due(&wanted, &Kept::default(), 1_000), Some(0));
        assert_eq!(due(&super::tests::wanted(""), &Kept::default(), 0), None);
    }
}
