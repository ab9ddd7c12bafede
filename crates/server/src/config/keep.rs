//! `[history] keep`: for how long messages are kept.

use chinwag_core::commands::keep::KEEP_LEAST_MS;
use chinwag_core::span::Span;
use serde::de::{Deserialize, Deserializer, Error};

/// For ever (`"forever"`, which is none), or for a span of time like `"30d"`, a minute at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepConfig(pub Option<Span>);

impl<'de> Deserialize<'de> for KeepConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "forever" {
            return Ok(KeepConfig(None));
        }
        match Span::parse(&text).filter(|span| span.0 >= KEEP_LEAST_MS) {
            Some(span) => Ok(KeepConfig(Some(span))),
            None => Err(D::Error::custom(format!(
                "keep = {text:?} is no span of time: write \"forever\", or like \"24h\", \"30d\" or \"52w\", one minute at \
                 least"
            ))),
        }
    }
}
