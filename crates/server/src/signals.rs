//! Signals: SIGTERM and SIGINT end the server, SIGHUP makes it read its configuration again.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_local;

use crate::{Config, ConfigError, Control};

/// Follows signals from now on, beside the server and on its thread.
pub(crate) fn follow(
    control: Control,
    reread: impl Fn() -> Result<Config, ConfigError> + 'static,
) -> io::Result<()> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        spawn_local(stop(signal(kind)?, control.clone()));
    }
    let mut hangups = signal(SignalKind::hangup())?;
    spawn_local(async move {
        while hangups.recv().await.is_some() {
            // A small file, read on the chat's thread: nobody reloads often enough to notice.
            match reread() {
                Ok(config) => control.reload(config),
                Err(error) => tracing::error!(%error, "the configuration stays as it was"),
            }
        }
    });
    Ok(())
}

async fn stop(mut signals: Signal, control: Control) {
    while signals.recv().await.is_some() {
        tracing::info!("told to stop");
        control.stop();
    }
}
