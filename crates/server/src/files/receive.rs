//! Taking a file in: piece by piece to the disk, within bounds of size, time and number.

use std::rc::Rc;
use std::time::Duration;

use chinwag_core::settings::Rate;
use chinwag_files::{Complete, File, Incoming, New, Refused, name};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body as _, Bytes, Incoming as Coming};
use tokio::time::{Instant, timeout};

use super::{Busy, Why};
use crate::api::Problem;
use crate::clock::now_ms;
use crate::shared::Shared;

/// Files that come in at once: all together and of one.
const AT_ONCE: usize = 32;
const OF_ONE: usize = 4;

/// How many files one may hand in.
const RATE: Rate = Rate { per_second: 1, burst: 30 };

/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(20);

/// A whole file may take this long, and a second more for each so many bytes of what may come at most.
const PATIENCE: Duration = Duration::from_secs(30);
const BYTES_PER_SECOND: u64 = 4 * 1024;

/// Bytes that are written at once.
const PIECE_BYTES: usize = 256 * 1024;

/// A file that somebody sends.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// By whom it is counted.
    pub(crate) owner: String,
    /// What people call them.
    pub(crate) by: String,
    /// They have no account.
    pub(crate) guest: bool,
    /// Limits of how often do not hold.
    pub(crate) exempt: bool,
    /// The file's name, as it was given.
    pub(crate) name: String,
    /// What is said of its kind.
    pub(crate) said: String,
    /// The room that it is for.
    pub(crate) room: Option<String>,
}

/// Takes a file and keeps it. When this returns, it is on the disk.
pub(crate) async fn receive(shared: &Rc<Shared>, body: Coming, sent: Sent) -> Result<File, Problem> {
    let taken = take(shared, body, &sent).await;
    taken.map_err(|(why, problem)| {
        shared.files.refuse(why);
        problem
    })
}

type No = (Why, Problem);

async fn take(shared: &Rc<Shared>, body: Coming, sent: &Sent) -> Result<File, No> {
    let (files, rules) = (&shared.files, shared.files.rules());
    if !rules.enabled {
        return Err((Why::MayNot, Problem::missing("This server takes no files ([web] files).")));
    }
    if !sent.exempt {
        let counted = shared.programs.count(&format!("file {}", sent.owner), RATE);
        let too_fast =
            |seconds| (Why::Rate, Problem::too_fast(seconds, "You hand in too many files at once."));
        counted.map_err(too_fast)?;
    }
    let place = files.coming.take(&sent.owner, OF_ONE, AT_ONCE);
    let _place = place.ok_or_else(|| {
        let detail = "Too many files are coming in at the moment: try again.";
        (Why::Rate, Problem::too_fast(5, detail))
    })?;
    let announced = body.size_hint().exact();
    if announced.is_some_and(|bytes| bytes > rules.bytes_max) {
        return Err(too_large(rules.bytes_max));
    }
    let (limits, owner) = (rules.limits(sent.guest), sent.owner.clone());
    let announced = announced.unwrap_or_default();
    // This makes the store, where there is none yet: it has been swept before anything comes in.
    let room = files.keeper.run(move |keeper| keeper.store()?.0.has_room(&owner, announced, limits)).await;
    room.map_err(busy)?.map_err(refused)?;
    let (data, floor) = (files.data.clone(), rules.free);
    let begun = files.disk.run(move |()| {
        if chinwag_files::free(&data).is_some_and(|free| free < floor.saturating_add(announced)) {
            return Err(Refused::Full);
        }
        Ok(Incoming::begin(&data)?)
    });
    let incoming = begun.await.map_err(busy)?.map_err(refused)?;
    let seconds = Duration::from_secs(rules.bytes_max / BYTES_PER_SECOND);
    let incoming = whole(shared, body, incoming, rules.bytes_max, PATIENCE + seconds).await?;
    let (name, said) = (name::safe(&sent.name), sent.said.clone());
    let new = New { name, owner: sent.owner.clone(), by: sent.by.clone(), room: sent.room.clone() };
    let called = new.name.clone();
    let complete = files.disk.run(move |()| incoming.finish(&called, &said)).await;
    let complete = complete.map_err(busy)?.map_err(|error| refused(error.into()))?;
    if complete.size == 0 {
        return Err((Why::Kind, Problem::unfit("There is nothing in the file.")));
    }
    if !complete.media.is_among(&rules.types) {
        let detail = format!("Files of this kind are not taken here; these are: {}.", rules.types.join(", "));
        return Err((Why::Kind, Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)));
    }
    keep(shared, new, complete, limits).await
}

async fn keep(
    shared: &Rc<Shared>,
    new: New,
    complete: Complete,
    limits: chinwag_files::Limits,
) -> Result<File, No> {
    let kept = shared.files.keeper.run(move |keeper| {
        let (store, log) = keeper.store()?;
        store.keep(&new, complete, limits, log, now_ms())
    });
    let file = kept.await.map_err(busy)?.map_err(refused)?;
    // Whoever looks after files wakes up: this one may never be said.
    shared.programs.moved.notify_waiters();
    Ok(file)
}

/// All that comes, on the disk.
async fn whole(
    shared: &Rc<Shared>,
    mut body: Coming,
    mut incoming: Incoming,
    bytes_max: u64,
    patience: Duration,
) -> Result<Incoming, No> {
    let until = Instant::now() + patience;
    let mut piece: Vec<u8> = Vec::new();
    let mut size = 0_u64;
    loop {
        let left = until.saturating_duration_since(Instant::now()).min(SILENCE);
        let frame = match timeout(left, body.frame()).await {
            Err(_) => {
                let detail = "The file did not come in time: try again on a faster connection.";
                return Err((Why::Cut, Problem::new(StatusCode::REQUEST_TIMEOUT, detail)));
            }
            Ok(Some(Err(_))) => return Err((Why::Cut, Problem::bad("The file did not come whole."))),
            Ok(None) => None,
            Ok(Some(Ok(frame))) => Some(frame.into_data().unwrap_or_else(|_| Bytes::new())),
        };
        let over = frame.is_none();
        if let Some(bytes) = frame {
            size += bytes.len() as u64;
            if size > bytes_max {
                return Err(too_large(bytes_max));
            }
            piece.extend_from_slice(&bytes);
        }
        if piece.len() >= PIECE_BYTES || (over && !piece.is_empty()) {
            let bytes = std::mem::take(&mut piece);
            let write = move |(): &mut ()| incoming.take(&bytes).map(|()| incoming);
            let written = shared.files.disk.run(write).await.map_err(busy)?;
            incoming = written.map_err(|error| refused(error.into()))?;
        }
        if over {
            return Ok(incoming);
        }
    }
}

fn too_large(bytes_max: u64) -> No {
    let detail = format!("A file may have {bytes_max} bytes at most.");
    (Why::TooLarge, Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail))
}

fn busy(_: Busy) -> No {
    (Why::Failed, Problem::not_now(5, "Too much is being written at the moment: try again."))
}

/// What the store refuses, for people.
pub(crate) fn refused(why: Refused) -> No {
    match why {
        Refused::Quota { used, limit } => {
            let detail = format!(
                "There are {limit} bytes for you, and {used} of them are used: delete a message with a file first."
            );
            (Why::Quota, Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail))
        }
        Refused::Full => {
            let detail = "The server has no room for more files at the moment.";
            (Why::Full, Problem::new(StatusCode::INSUFFICIENT_STORAGE, detail))
        }
        Refused::Disk(error) => {
            tracing::error!(%error, "a file was not kept");
            (Why::Failed, Problem::new(StatusCode::INSUFFICIENT_STORAGE, "The disk did not take the file."))
        }
        Refused::Database(error) => {
            tracing::error!(%error, "a file was not kept");
            (Why::Failed, Problem::not_now(5, "Files cannot be kept at the moment."))
        }
    }
}
