//! Traces: how long a message, a request of HTTP and a commit of the log took, for a collector that speaks OTLP
//! (`[traces]`, feature `otel`).
//!
//! What lives here: which of them are traced, and the spans that are made of them. What does not: when they happen (the
//! hub, `web`, the log's writer). No span holds a text, a name, a room or an address; what is sent is bounded, waits in a
//! queue that drops what does not fit, and goes out from a thread of its own.
//!
//! `on` and `off` are the same from outside: without the feature everything is empty, and the compiler leaves it out.

#[cfg(feature = "otel")]
mod collector;
#[cfg(not(feature = "otel"))]
mod off;
#[cfg(feature = "otel")]
mod on;

#[cfg(not(feature = "otel"))]
pub(crate) use self::off::Traces;
#[cfg(feature = "otel")]
pub(crate) use self::on::Traces;
