//! `[metrics]`: figures for machines.

use std::net::SocketAddr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// `[metrics]`: where a page of figures can be read.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Where; nowhere when there is none. Takes effect at the next start.
    #[serde(deserialize_with = "address")]
    pub address: Option<SocketAddr>,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "off" {
        return Ok(None);
    }
    let wrong = |_| {
        D::Error::custom(format!("{text:?} is neither \"off\" nor an address such as \"127.0.0.1:9464\""))
    };
    text.parse().map(Some).map_err(wrong)
}
