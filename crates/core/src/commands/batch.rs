//! `BATCH +<reference> draft/multiline <target>`, the lines, `BATCH -<reference>`: a message of several lines.
//!
//! Specifications: <https://ircv3.net/specs/extensions/client-batch>,
//! <https://ircv3.net/specs/extensions/multiline>.

use std::sync::Arc;

use chinwag_wire::caps::Cap;
use chinwag_wire::limits::{BODY_BYTES_MAX, LABEL_BYTES_MAX};
use chinwag_wire::message::Message;
use chinwag_wire::verbs::Verb;

use super::privmsg::{Body, client_tags, deliver};
use super::reply::{asker, fail, given};
use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::event::SayKind;
use crate::ids::Millis;
use crate::line::{Line, Text};
use crate::multiline::{BATCH_TYPE, CONCAT_TAG, ClientBatch, Draft, OPEN_MS_MAX, REFERENCE_BYTES_MAX};
use crate::session::Session;

const NAME: &str = "BATCH";

/// Whether a message is to be looked at by [`collect`]: it belongs to a batch, or comes while one is open.
pub(super) fn concerns(asking: &Asking<'_>, message: &Message<'_>) -> bool {
    if Verb::lookup(message.command) == Some(Verb::Batch) {
        return false;
    }
    let open = asking.session.batch.is_some();
    let tagged = open || (!message.tags.is_empty() && asking.session.caps.contains(Cap::Multiline));
    tagged && (open || message.tags.get("batch").is_some())
}

/// The label of the answer to a batch of which this message is a part, when that is to come.
pub fn label(session: &Session, message: &Message<'_>) -> Option<Arc<str>> {
    let batch = session.batch.as_deref()?;
    let closes = Verb::lookup(message.command) == Some(Verb::Batch);
    let part = closes || message.tags.get("batch").is_some_and(|tag| *tag == *batch.reference);
    batch.label.clone().filter(|_| part && batch.draft.is_some())
}

/// Gives up a batch that has been open for too long: the line that says so.
pub fn expire(session: &mut Session, now_ms: Millis) -> Option<Line> {
    let batch = session.batch.as_deref_mut()?;
    if now_ms.saturating_sub(batch.opened_ms) < OPEN_MS_MAX || batch.draft.take().is_none() {
        return None;
    }
    let mut effects = Vec::new();
    fail(&mut effects, NAME, "TIMEOUT", [Text::from(&batch.reference)], "The batch was open for too long");
    effects.into_iter().find_map(|effect| match effect {
        crate::effect::Effect::Send { line, .. } => Some(line),
        _ => None,
    })
}

/// A message that comes while a batch is open, or says that it belongs to one.
pub(super) fn collect(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    if let Some(line) = expire(asking.session, asking.now_ms) {
        asking.reply(line);
    }
    let tag = message.tags.get("batch");
    let verb = Verb::lookup(message.command);
    let Some(batch) = asking.session.batch.as_deref() else {
        invalid(asking, "No such batch is open");
        return Flow::Done;
    };
    let part = tag.as_deref() == Some(&*batch.reference);
    match (part, &batch.draft) {
        (true, None) => {}
        (true, Some(_)) => match verb {
            Some(Verb::Privmsg) => add(chat, asking, message, SayKind::Privmsg),
            Some(Verb::Notice) => add(chat, asking, message, SayKind::Notice),
            _ => invalid(asking, "Only PRIVMSG and NOTICE belong into a batch"),
        },
        (false, None) if tag.is_none() => return handle(chat, asking, message),
        // Signs of life are no part of anything.
        (false, _) if tag.is_none() && matches!(verb, Some(Verb::Ping | Verb::Pong | Verb::Quit)) => {
            return handle(chat, asking, message);
        }
        (false, _) => invalid(asking, "Only messages of the open batch may be sent before it is closed"),
    }
    Flow::Done
}

/// A message that has nothing to do with the batch.
fn handle(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    let batch = asking.session.batch.take();
    let flow = chat.request(asking, message);
    asking.session.batch = batch;
    flow
}

/// `BATCH +<reference> <type> <target>` or `BATCH -<reference>`
pub(crate) fn batch(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>) -> Flow {
    if let Some(line) = expire(asking.session, asking.now_ms) {
        asking.reply(line);
        return Flow::Done;
    }
    let first = message.params[0];
    if let Some(reference) = first.strip_prefix('+') {
        open(asking, message, reference);
        return Flow::Done;
    }
    let reference = first.strip_prefix('-').unwrap_or(first);
    match asking.session.batch.as_deref() {
        Some(batch) if *batch.reference == *reference && first.starts_with('-') => close(chat, asking),
        _ => {
            let about = [given(reference)];
            fail(asking.effects, NAME, "INVALID_REFTAG", about, "No batch of that reference is open");
            Flow::Done
        }
    }
}

fn open(asking: &mut Asking<'_>, message: &Message<'_>, reference: &str) {
    let opened = Box::new(ClientBatch {
        reference: reference.into(),
        label: message.tags.get("label").filter(|label| fits_label(label)).map(Arc::from),
        opened_ms: asking.now_ms,
        draft: None,
    });
    let before = asking.session.batch.replace(opened);
    let well_formed = (1..=REFERENCE_BYTES_MAX).contains(&reference.len())
        && reference.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let kind = message.params.get(1).unwrap_or("");
    if !well_formed {
        let text = "A reference is made of letters, digits and hyphens";
        fail(asking.effects, NAME, "INVALID_REFTAG", [given(reference)], text);
    } else if kind != BATCH_TYPE || !asking.session.caps.contains(Cap::Multiline) {
        let about = [given(reference), given(kind)];
        fail(asking.effects, NAME, "UNKNOWN_TYPE", about, "Batches of that type are not known here");
    } else if before.is_some_and(|before| before.draft.is_some()) || message.tags.get("batch").is_some() {
        invalid(asking, "A batch cannot be opened inside another");
    } else {
        match message.params.get(2).filter(|target| !target.is_empty()) {
            None => invalid(asking, "The target of the batch is missing"),
            Some(target) => {
                let client_tags = client_tags(asking, message);
                let draft = Draft { target: target.into(), client_tags, ..Draft::default() };
                if let Some(batch) = asking.session.batch.as_deref_mut() {
                    batch.draft = Some(draft);
                }
            }
        }
    }
}

/// Whether a label is one that is answered.
fn fits_label(label: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&label.len())
}

/// `FAIL BATCH MULTILINE_INVALID`: what came of the open batch is forgotten, and what still comes is ignored.
fn invalid(asking: &mut Asking<'_>, text: &'static str) {
    refuse(asking, "MULTILINE_INVALID", [], text);
}

fn refuse<const N: usize>(asking: &mut Asking<'_>, code: &'static str, about: [Text; N], text: &'static str) {
    if let Some(batch) = asking.session.batch.as_deref_mut() {
        batch.draft = None;
    }
    fail(asking.effects, NAME, code, about, text);
}

/// One line of the open batch.
fn add(chat: &Chat, asking: &mut Asking<'_>, message: &Message<'_>, kind: SayKind) {
    let settings = asking.settings;
    let fits = bytes_for_text(chat, asking, message);
    let Some(draft) = asking.session.batch.as_deref_mut().and_then(|batch| batch.draft.as_mut()) else {
        return;
    };
    let target = message.params.first().copied().unwrap_or("");
    let Some(text) = message.params.get(1) else {
        return invalid(asking, "A line without a text parameter");
    };
    let continues = message.tags.get(CONCAT_TAG).is_some();
    if !chat.mapping().same(target, &draft.target) {
        let about = [given(&draft.target), given(target)];
        refuse(asking, "MULTILINE_INVALID_TARGET", about, "Every line has the target of its batch")
    } else if draft.kind.is_some_and(|before| before != kind) {
        invalid(asking, "Every line of a batch is a PRIVMSG, or every one is a NOTICE")
    } else if text.is_empty() && continues {
        invalid(asking, "A blank line cannot continue another")
    } else if draft.lines >= settings.multiline_max_lines {
        let most = settings.multiline_max_lines.to_string();
        refuse(asking, "MULTILINE_MAX_LINES", [most.into()], "The message has too many lines")
    } else if draft.text.len() + usize::from(draft.lines > 0 && !continues) + text.len()
        > settings.multiline_max_bytes
    {
        let most = settings.multiline_max_bytes.to_string();
        refuse(asking, "MULTILINE_MAX_BYTES", [most.into()], "The message is too long")
    } else {
        draft.kind = Some(kind);
        draft.add(text, continues, fits);
    }
}

/// Bytes of a line's text that others can be sent with the sender in front.
fn bytes_for_text(chat: &Chat, asking: &Asking<'_>, message: &Message<'_>) -> usize {
    let mask = asker(chat, asking).map_or(0, |user| user.who.mask().len());
    let target = message.params.first().map_or(0, |target| target.len());
    let around = ":".len() + mask + " PRIVMSG ".len() + target + " :".len();
    BODY_BYTES_MAX.saturating_sub(around)
}

fn close(chat: &Chat, asking: &mut Asking<'_>) -> Flow {
    let Some(batch) = asking.session.batch.take() else { return Flow::Done };
    let Some(draft) = &batch.draft else { return Flow::Done };
    let Some(kind) = draft.kind.filter(|_| !draft.is_blank()) else {
        invalid(asking, "A message of blank lines only");
        return Flow::Done;
    };
    let body = Body {
        text: draft.text.as_str().into(),
        joins: draft.joins(),
        client_tags: draft.client_tags.clone(),
    };
    let flow = deliver(chat, asking, kind, &draft.target, &body);
    if flow == Flow::Wait {
        asking.session.batch = Some(batch);
    }
    flow
}
