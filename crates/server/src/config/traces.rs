//! `[traces]`: a collector of traces (OpenTelemetry).

use serde::{Deserialize, Deserializer};

/// Where a collector of traces listens, said for traces alone; it is taken as it is.
const OF_TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

/// The same for all that OpenTelemetry knows; the path follows from what is sent.
const OF_ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Where nothing is to be traced, whatever else is said.
const DISABLED: &str = "OTEL_SDK_DISABLED";

/// The path of traces (OTLP 1, "OTLP/HTTP request").
const PATH: &str = "/v1/traces";

/// `[traces]`: where traces go, and how many. Takes effect at the next start.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TracesConfig {
    /// Where; what the environment says if nothing else does.
    #[serde(deserialize_with = "traced")]
    pub endpoint: Traced,
    /// Of how many messages, requests and commits, from 0 to 1.
    pub ratio: f64,
}

/// Whether traces go anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Traced {
    /// To where the environment says, if it does.
    #[default]
    Environment,
    /// Nowhere.
    Off,
    /// To a collector, whose address begins with `http://` or `https://`.
    To(String),
}

impl Default for TracesConfig {
    fn default() -> Self {
        TracesConfig { endpoint: Traced::default(), ratio: 0.01 }
    }
}

fn traced<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Traced, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(if text == "off" { Traced::Off } else { Traced::To(text) })
}

impl TracesConfig {
    /// What types cannot say. The error is section, key and sentence.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str, String)> {
        if !(0.0..=1.0).contains(&self.ratio) {
            return Err(("traces", "ratio", format!("ratio = {} must be from 0.0 to 1.0", self.ratio)));
        }
        let Traced::To(address) = &self.endpoint else { return Ok(()) };
        if !is_address(address) {
            let what = format!(
                "endpoint = {address:?} is neither \"off\" nor an address such as \"http://127.0.0.1:4318\""
            );
            return Err(("traces", "endpoint", what));
        }
        if !cfg!(feature = "otel") {
            let what = "this build sends no traces: take endpoint away, or build with \
                        `cargo build --release -p chinwag --features otel`";
            return Err(("traces", "endpoint", what.to_owned()));
        }
        Ok(())
    }

    /// The address that traces are sent to, if they are. `environment` looks up a variable.
    pub(crate) fn address(&self, environment: impl Fn(&str) -> Option<String>) -> Option<String> {
        let said = |name: &str| environment(name).filter(|value| !value.is_empty());
        let whole = |base: String| format!("{}{PATH}", base.trim_end_matches('/'));
        let address = match &self.endpoint {
            Traced::Off => None,
            Traced::To(base) => Some(whole(base.clone())),
            Traced::Environment if said(DISABLED).is_some_and(|it| it.eq_ignore_ascii_case("true")) => None,
            Traced::Environment => said(OF_TRACES).or_else(|| said(OF_ALL).map(whole)),
        };
        address.filter(|_| self.ratio > 0.0)
    }
}

/// Whether it is an address that something can be sent to.
pub(crate) fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| {
        let host = rest.split('/').next().unwrap_or(rest);
        !host.is_empty() && text.is_ascii() && !text.contains([' ', '?', '#', '@', '"', '\\'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_comes_before_the_environment() {
        let to = |endpoint, said: &[(&str, &str)]| {
            let look_up = |name: &str| {
                said.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            TracesConfig { endpoint, ratio: 1.0 }.address(look_up)
        };
        let here = || Traced::To("http://a:1/".to_owned());
        let both = [(OF_ALL, "http://b:2"), (OF_TRACES, "http://c:3/x")];
        assert_eq!(to(here(), &both).as_deref(), Some("http://a:1/v1/traces"));
        assert_eq!(to(Traced::Environment, &both).as_deref(), Some("http://c:3/x"));
        assert_eq!(to(Traced::Environment, &both[..1]).as_deref(), Some("http://b:2/v1/traces"));
        assert_eq!(to(Traced::Environment, &[(OF_ALL, "")]), None);
        assert_eq!(to(Traced::Environment, &[both[0], (DISABLED, "true")]), None);
        assert_eq!(to(Traced::Off, &both), None);
        let none = TracesConfig { endpoint: here(), ratio: 0.0 };
        assert_eq!(none.address(|_| None), None);
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let wrong = |endpoint: &str, ratio| {
            let config = TracesConfig { endpoint: Traced::To(endpoint.to_owned()), ratio };
            config.check().err().map(|(_, key, what)| format!("{key}: {what}"))
        };
        assert!(wrong("http://a:1", 2.0).is_some_and(|what| what.starts_with("ratio: ratio = 2")));
        for address in ["a:4318", "grpc://a:4317", "http://", "http://ann:word@a/", "http://a/?b"] {
            assert!(wrong(address, 1.0).is_some_and(|what| what.contains("nor an address")), "{address}");
        }
        let built = wrong("http://127.0.0.1:4318", 1.0);
        if cfg!(feature = "otel") {
            assert_eq!(built, None);
        } else {
            assert!(built.is_some_and(|what| what.contains("--features otel")));
        }
    }
}
