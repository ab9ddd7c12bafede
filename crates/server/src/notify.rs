//! What the service manager is told: that the server is ready, and that the chat's thread is alive (systemd's `sd_notify`).
//! Nothing where nobody asked for it.

use std::env::var_os;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// Says that the server is ready, and from then on, if that is watched, that the thread which this runs on is alive. Within
/// a `LocalSet` only.
pub(crate) fn ready() {
    let told = tell("READY=1");
    if let Err(error) = told {
        tracing::warn!(%error, "the service manager cannot be told that the server is ready");
        return;
    }
    let every =
        var_os("WATCHDOG_USEC").and_then(|text| text.to_str()?.parse::<u64>().ok()).filter(|usec| *usec > 0);
    if let Some(usec) = every {
        tokio::task::spawn_local(async move {
            let mut ticks = tokio::time::interval(Duration::from_micros(usec / 3 + 1));
            loop {
                ticks.tick().await;
                // It was there a moment ago; if it is gone, nobody watches.
                let _ = tell("WATCHDOG=1");
            }
        });
    }
}

/// Sends a word to where the service manager listens, if it does.
fn tell(word: &str) -> io::Result<()> {
    let Some(path) = var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    match path.as_bytes().strip_prefix(b"@") {
        #[cfg(target_os = "linux")]
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            socket.send_to_addr(word.as_bytes(), &address)?;
        }
        _ => {
            socket.send_to(word.as_bytes(), &path)?;
        }
    }
    Ok(())
}
