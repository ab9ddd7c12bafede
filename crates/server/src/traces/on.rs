//! Traces, where they are built in: spans made of moments that are known afterwards, so that nothing is held open.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chinwag_archive::Commits;
use chinwag_core::chat::Chat;
use chinwag_core::event::Event;
use chinwag_log::{Arrival, Key, Proposal};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};

use super::collector::Collector;
use crate::Config;
use crate::config::is_address;

/// Messages that are traced at the same time; of more than that some are left out.
const UNDERWAY_MAX: usize = 256;

/// Spans that wait to be sent, and how many go at once; what does not fit is dropped.
const QUEUE: usize = 2048;
const AT_ONCE: usize = 512;

/// Methods that are named; anybody can write anything there.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"];

/// How often they are sent.
const EVERY: Duration = Duration::from_secs(2);

/// How long the end waits for the last of them.
const FLUSH: Duration = Duration::from_millis(200);

/// What is traced, and where that goes. All on the chat's thread, but for commits.
#[derive(Default)]
pub(crate) struct Traces(Option<Tracing>);

struct Tracing {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    dice: Dice,
    /// Messages on their way to the log and back.
    underway: RefCell<HashMap<Key, Message>>,
    /// Messages that are kept and about to go out.
    kept: RefCell<Vec<(Message, SystemTime)>>,
}

/// A message that is traced, as far as it has come.
struct Message {
    door: &'static str,
    /// When its door took it.
    said: SystemTime,
    /// When it went to the log, and with how many others.
    proposed: SystemTime,
    together: usize,
}

/// The messages of a batch that are traced.
pub(crate) struct Picked(Vec<(Key, Message)>);

/// A request that is traced.
pub(crate) struct Requested {
    began: SystemTime,
    method: String,
    route: Option<&'static str>,
}

/// Falls for a share of all throws.
struct Dice {
    state: Cell<u64>,
    below: u64,
}

impl Dice {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of all numbers")]
    #[allow(clippy::cast_precision_loss, reason = "a share need not be exact")]
    fn new(ratio: f64) -> Dice {
        let seed = RandomState::new().build_hasher().finish() | 1;
        Dice { state: Cell::new(seed), below: (ratio * u64::MAX as f64) as u64 }
    }

    /// Xorshift (Marsaglia 2003): a few instructions, and good enough for choosing what to look at.
    fn falls(&self) -> bool {
        let mut state = self.state.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        self.state.set(state);
        state <= self.below
    }
}

impl Traces {
    /// Begins, where a collector is configured. One that cannot be used is said and left alone.
    pub(crate) fn start(config: &Config, commits: &Commits) -> Traces {
        let Some(address) = config.traces.address(|name| std::env::var(name).ok()) else {
            return Traces::default();
        };
        if !is_address(&address) {
            tracing::error!(%address, "traces go nowhere: that is no address of a collector");
            return Traces::default();
        }
        match provider(&address) {
            Ok(provider) => {
                tracing::info!(%address, ratio = config.traces.ratio, "traces are sent");
                let tracer = provider.tracer("chinwag");
                let dice = Dice::new(config.traces.ratio);
                let (underway, kept) = (RefCell::default(), RefCell::default());
                let tracing = Tracing { provider, tracer, dice, underway, kept };
                tracing.watch(commits);
                Traces(Some(tracing))
            }
            Err(error) => {
                tracing::error!(%error, "traces go nowhere");
                Traces::default()
            }
        }
    }

    /// Chooses messages of a batch that is about to go to the log.
    pub(crate) fn pick(&self, batch: &[Proposal<Event>], chat: &Chat) -> Picked {
        let mut picked = Picked(Vec::new());
        let Some(tracing) = &self.0 else { return picked };
        let room = UNDERWAY_MAX.saturating_sub(tracing.underway.borrow().len());
        for proposal in batch {
            let Event::Said(said) = &proposal.event else { continue };
            if picked.0.len() >= room || !tracing.dice.falls() {
                continue;
            }
            // Who is not here asked by HTTP.
            let door = chat.user(said.user).map_or("http", |user| user.door);
            let proposed = SystemTime::now();
            let at = UNIX_EPOCH + Duration::from_millis(proposal.at_ms);
            let message = Message { door, said: at.min(proposed), proposed, together: batch.len() };
            picked.0.push((proposal.key, message));
        }
        picked
    }

    /// They have gone to the log.
    pub(crate) fn proposed(&self, picked: Picked) {
        if let Some(tracing) = &self.0 {
            tracing.underway.borrow_mut().extend(picked.0);
        }
    }

    /// Something has come back from the log.
    pub(crate) fn arrived(&self, arrival: &Arrival<Event>) {
        let Some(tracing) = &self.0 else { return };
        let mut underway = tracing.underway.borrow_mut();
        if underway.is_empty() {
            return;
        }
        match arrival {
            Arrival::Entries(entries) => {
                let now = SystemTime::now();
                let found = entries.iter().filter_map(|entry| underway.remove(&entry.key));
                tracing.kept.borrow_mut().extend(found.map(|message| (message, now)));
            }
            Arrival::Refused { batch, .. } => {
                let now = SystemTime::now();
                for message in batch.iter().filter_map(|proposal| underway.remove(&proposal.key)) {
                    tracing.refused(&message, now);
                }
            }
            Arrival::Health(_) => {}
        }
    }

    /// What is kept has been handed to the sockets.
    pub(crate) fn delivered(&self) {
        let Some(tracing) = &self.0 else { return };
        let mut kept = tracing.kept.borrow_mut();
        if kept.is_empty() {
            return;
        }
        let now = SystemTime::now();
        for (message, arrived) in kept.drain(..) {
            tracing.whole(&message, arrived, now);
        }
    }

    /// A request has come; its method and route are asked for only if it is traced.
    pub(crate) fn asked(&self, what: impl FnOnce() -> (String, Option<&'static str>)) -> Option<Requested> {
        self.0.as_ref().filter(|tracing| tracing.dice.falls())?;
        let (method, route) = what();
        let method = if METHODS.contains(&&*method) { method } else { "_OTHER".to_owned() };
        Some(Requested { began: SystemTime::now(), method, route })
    }

    /// The head of its answer is there.
    pub(crate) fn answered(&self, asked: Requested, status: u16) {
        let Some(tracing) = &self.0 else { return };
        let Requested { began, method, route } = asked;
        // Names as OpenTelemetry's conventions for HTTP have them.
        let name = route.map_or_else(|| method.clone(), |route| format!("{method} {route}"));
        let mut attributes = vec![
            KeyValue::new("http.request.method", method),
            KeyValue::new("http.response.status_code", i64::from(status)),
        ];
        attributes.extend(route.map(|route| KeyValue::new("http.route", route)));
        let builder = span(name, SpanKind::Server, began).with_attributes(attributes);
        let mut span = tracing.tracer.build_with_context(builder, &Context::new());
        if status >= 500 {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(SystemTime::now());
    }

    /// Sends the rest, if that does not take long.
    pub(crate) fn end(&self) {
        if let Some(tracing) = &self.0
            && tracing.provider.shutdown_with_timeout(FLUSH).is_err()
        {
            tracing::debug!("the last traces are lost");
        }
    }
}

impl Tracing {
    /// Traces commits of the log, from its own thread.
    fn watch(&self, commits: &Commits) {
        let (tracer, below) = (self.tracer.clone(), self.dice.below);
        let state = std::sync::Mutex::new(self.dice.state.get().rotate_left(32) | 1);
        commits.watch(Box::new(move |events, took| {
            // Only the log's thread is here; what another one left behind would do as well.
            let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let dice = Dice { state: Cell::new(*state), below };
            let falls = dice.falls();
            *state = dice.state.get();
            if !falls {
                return;
            }
            let ended = SystemTime::now();
            let builder = span("log.commit", SpanKind::Internal, ended.checked_sub(took).unwrap_or(ended))
                .with_attributes([KeyValue::new("chinwag.log.events", count(events))]);
            tracer.build_with_context(builder, &Context::new()).end_with_timestamp(ended);
        }));
    }

    /// A message from its door to the sockets, with the parts of its way.
    fn whole(&self, message: &Message, arrived: SystemTime, delivered: SystemTime) {
        let Message { door, said, proposed, together } = message;
        let attributes = [
            KeyValue::new("chinwag.door", *door),
            KeyValue::new("chinwag.log.batch", count(*together as u64)),
        ];
        let builder = span("message", SpanKind::Internal, *said).with_attributes(attributes);
        let parts = [
            ("message.decide", *said, *proposed),
            ("message.commit", *proposed, arrived),
            ("message.deliver", arrived, delivered),
        ];
        self.emit(builder, &parts, delivered, Status::Unset);
    }

    /// A message that the log did not take.
    fn refused(&self, message: &Message, now: SystemTime) {
        let Message { door, said, proposed, .. } = message;
        let builder = span("message", SpanKind::Internal, *said)
            .with_attributes([KeyValue::new("chinwag.door", *door)]);
        let parts = [("message.decide", *said, *proposed), ("message.commit", *proposed, now)];
        self.emit(builder, &parts, now, Status::error("refused by the log"));
    }

    fn emit(
        &self,
        whole: SpanBuilder,
        parts: &[(&'static str, SystemTime, SystemTime)],
        end: SystemTime,
        status: Status,
    ) {
        let nobody = Context::new();
        let whole = nobody.with_span(self.tracer.build_with_context(whole, &nobody));
        for (name, began, ended) in parts {
            let part = span(*name, SpanKind::Internal, *began);
            self.tracer.build_with_context(part, &whole).end_with_timestamp(*ended);
        }
        whole.span().set_status(status);
        whole.span().end_with_timestamp(end);
    }
}

fn span(name: impl Into<std::borrow::Cow<'static, str>>, kind: SpanKind, began: SystemTime) -> SpanBuilder {
    SpanBuilder::from_name(name).with_kind(kind).with_start_time(began)
}

fn count(many: u64) -> i64 {
    i64::try_from(many).unwrap_or(i64::MAX)
}

/// What gathers spans and sends them to a collector, from a thread of its own.
fn provider(address: &str) -> Result<SdkTracerProvider, opentelemetry_otlp::ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Collector::new(address))
        .with_endpoint(address)
        // What was not taken is lost: what is new is worth more.
        .with_retry_policy(RetryPolicy::disabled())
        .build()?;
    let limits = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE)
        .with_max_export_batch_size(AT_ONCE)
        .with_scheduled_delay(EVERY)
        .build();
    let mut resource =
        Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
        resource = resource.with_service_name("chinwag");
    }
    let provider = SdkTracerProvider::builder()
        // What is not traced does not come this far.
        .with_sampler(Sampler::AlwaysOn)
        .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(limits).build())
        .with_resource(resource.build())
        .build();
    Ok(provider)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_fall_for_the_share() {
        let times = |ratio| {
            let dice = Dice::new(ratio);
            (0..10_000).filter(|_| dice.falls()).count()
        };
        assert_eq!((times(0.0), times(1.0)), (0, 10_000));
        // Eight standard deviations.
        assert!((1760..2240).contains(&times(0.2)), "{}", times(0.2));
    }
}
