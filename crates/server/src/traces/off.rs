//! No traces: this build has none.

use chinwag_archive::Commits;
use chinwag_core::chat::Chat;
use chinwag_core::event::Event;
use chinwag_log::{Arrival, Proposal};

use crate::Config;

/// Nothing is traced.
#[derive(Default)]
pub(crate) struct Traces;

/// No message is.
pub(crate) struct Picked;

/// No request is.
pub(crate) struct Requested;

#[allow(clippy::unused_self, reason = "the same as where there are traces")]
impl Traces {
    /// Says so, where somebody asked for traces.
    pub(crate) fn start(config: &Config, _: &Commits) -> Traces {
        if config.traces.address(|name| std::env::var(name).ok()).is_some() {
            tracing::warn!(
                "the environment asks for traces, which this build does not have (--features otel)"
            );
        }
        Traces
    }

    pub(crate) fn pick(&self, _: &[Proposal<Event>], _: &Chat) -> Picked {
        Picked
    }

    pub(crate) fn proposed(&self, _: Picked) {}

    pub(crate) fn arrived(&self, _: &Arrival<Event>) {}

    pub(crate) fn delivered(&self) {}

    pub(crate) fn asked(&self, _: impl FnOnce() -> (String, Option<&'static str>)) -> Option<Requested> {
        None
    }

    pub(crate) fn answered(&self, _: Requested, _: u16) {}

    pub(crate) fn end(&self) {}
}
