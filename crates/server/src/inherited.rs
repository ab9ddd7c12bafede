//! Sockets that the service manager hands over (systemd's socket activation, sd_listen_fds(3)): callers wait in them while
//! the server is started, or started again, and none is turned away.

use std::collections::VecDeque;
use std::net::TcpListener;

/// Listening sockets, in the order of the service manager; none where nobody hands any over, and at every call but the
/// first.
#[cfg(unix)]
pub(crate) fn take() -> VecDeque<TcpListener> {
    use std::os::fd::{FromRawFd, OwnedFd};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// The first descriptor that is handed over.
    const FIRST: i32 = 3;
    /// More than that is no answer of a service manager.
    const MOST: i32 = 64;
    static TAKEN: AtomicBool = AtomicBool::new(false);

    let number = |name: &str| std::env::var(name).ok()?.parse::<i32>().ok();
    let ours = number("LISTEN_PID").is_some_and(|pid| u32::try_from(pid) == Ok(std::process::id()));
    let count = number("LISTEN_FDS").filter(|count| ours && (1..=MOST).contains(count)).unwrap_or(0);
    if count == 0 || TAKEN.swap(true, Ordering::SeqCst) {
        return VecDeque::new();
    }
    (FIRST..FIRST + count)
        .filter_map(|fd| {
            // SAFETY: the service manager has opened these descriptors for this process (LISTEN_PID is ours) and nobody
            // else in it knows of them; they are taken once, before anything could have been opened in their place.
            let given = unsafe { OwnedFd::from_raw_fd(fd) };
            // The copy is closed in programs that this one starts.
            match given.try_clone() {
                Ok(copy) => Some(TcpListener::from(copy)),
                Err(error) => {
                    tracing::warn!(fd, %error, "a socket that was handed over cannot be used");
                    None
                }
            }
        })
        .collect()
}

/// Nobody hands sockets over.
#[cfg(not(unix))]
pub(crate) fn take() -> VecDeque<TcpListener> {
    VecDeque::new()
}
