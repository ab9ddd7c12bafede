//! `ISUPPORT`: the whole list of what is supported, also before registration.
//!
//! Specification: IRCv3 extended-isupport.

use std::sync::Arc;

use chinwag_wire::caps::{Cap, CapSet};
use chinwag_wire::message::Message;
use chinwag_wire::numeric::Numeric;

use crate::asking::{Asking, Flow};
use crate::chat::Chat;
use crate::commands::reply::tell;
use crate::effect::Effects;
use crate::history::batched;
use crate::line::Line;
use crate::settings::Settings;

/// The reference of the batch. It is closed as soon as it is opened, so that one name is enough.
const BATCH: &str = "isupport";

/// Sessions with these get the list as a batch, always.
const BATCHED: CapSet = CapSet::of(&[Cap::Batch, Cap::ExtendedIsupport]);

/// `ISUPPORT`; before registration for sessions with `draft/extended-isupport`.
pub(crate) fn isupport(_: &Chat, asking: &mut Asking<'_>, _: &Message<'_>) -> Flow {
    let caps = asking.session.caps;
    if asking.session.user().is_none() && !caps.contains(Cap::ExtendedIsupport) {
        asking.refuse(Numeric::ERR_NOTREGISTERED, []);
    } else {
        lines(asking.settings, caps, asking.effects);
    }
    Flow::Done
}

/// The lines of RPL_ISUPPORT, as sessions with these capabilities get them.
pub(crate) fn lines(settings: &Settings, caps: CapSet, effects: &mut Effects) {
    let lines = settings.prepared().isupport.iter().map(|params| {
        let mut line = Line::numeric(Numeric::RPL_ISUPPORT, []);
        line.params.extend(params.iter().cloned());
        line
    });
    if caps.contains_all(BATCHED) {
        batched(&Arc::from(BATCH), "draft/isupport", None, lines, effects);
    } else {
        lines.for_each(|line| tell(effects, line));
    }
}
