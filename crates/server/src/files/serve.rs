//! The answers at `/files/`: a file to whoever has its link, a small picture of it, and taking one in by a ticket.
//!
//! What people hand in is anything at all, and it comes from the address of the web client. So a browser is shown only what
//! is on the short list of [`Media`], is told to guess nothing, and may run nothing in it; all else it saves.

use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;
use std::time::Duration;

use chinwag_core::event::SayKind;
use chinwag_core::programs::{Program, Saying};
use chinwag_core::settings::Rate;
use chinwag_files::{File, Media, name, thumb};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::time::Instant;

use super::tickets::Claim;
use super::{Placed, Sent, Why, receive};
use crate::api::{Asker, Body, Pieces, Problem};
use crate::doorway::Doorway;
use crate::greeting::Caller;
use crate::shared::Shared;

/// Bytes of a file that are read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Files that are being read at once: all together and by one.
const AT_ONCE: usize = 128;
const BY_ONE: usize = 24;

/// How often one may ask.
const RATE: Rate = Rate { per_second: 20, burst: 300 };

/// A whole file may take this long, and a second more for each so many of its bytes.
const PATIENCE: Duration = Duration::from_secs(60);
const BYTES_PER_SECOND: u64 = 8 * 1024;

/// What a file may do in a browser: nothing.
const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Browsers keep what they have seen for a day; a file never changes.
const CACHING: &str = "private, max-age=86400, immutable";

/// Answers a request. What goes wrong is said in a sentence, for people.
pub(crate) async fn answer(
    shared: Rc<Shared>,
    caller: Caller,
    doorway: Rc<Doorway>,
    request: Request<Incoming>,
) -> Response<Body> {
    let head = request.method() == hyper::Method::HEAD;
    let mut response = match handle(&shared, &caller, &doorway, request).await {
        Ok(response) => response,
        Err(problem) => problem.words(),
    };
    if head {
        *response.body_mut() = Body::default();
    }
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("content-security-policy", POLICY),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn gone() -> Problem {
    Problem::missing("There is no such file (any more).")
}

async fn handle(
    shared: &Rc<Shared>,
    caller: &Caller,
    doorway: &Doorway,
    request: Request<Incoming>,
) -> Result<Response<Body>, Problem> {
    let asker = Asker::nobody(shared, caller);
    if !asker.exempt {
        let taken = shared.programs.count(&format!("files {}", asker.counted), RATE);
        taken.map_err(|seconds| Problem::too_fast(seconds, "You ask too much at once."))?;
    }
    if let Some(problem) = asker.banned(shared) {
        return Err(problem);
    }
    let path = request.uri().path().to_owned();
    let path = path.strip_prefix(chinwag_files::PATH).unwrap_or("");
    let (id, below) = path.split_once('/').unwrap_or((path, ""));
    if id == "up" {
        let (ticket, named) = below.split_once('/').unwrap_or((below, ""));
        return by_ticket(shared, caller, doorway, request, ticket, named).await;
    }
    if !matches!(request.method().as_str(), "GET" | "HEAD") {
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "Files are read with GET.");
        return Err(problem.with(header::ALLOW, "GET, HEAD"));
    }
    if !name::is_id(id) {
        return Err(gone());
    }
    let place = shared.files.going.take(&asker.counted, BY_ONE, AT_ONCE);
    let place =
        place.ok_or_else(|| Problem::too_fast(5, "Too many files are being read at once: try again."))?;
    let wanted = id.to_owned();
    let found = shared.files.ask(None, move |store| store.find(&wanted)).await;
    let file = match found {
        Ok(Ok(file)) => file.ok_or_else(gone)?,
        Ok(Err(error)) => {
            tracing::error!(%error, "a file cannot be looked up");
            return Err(Problem::not_now(5, "Files cannot be read at the moment."));
        }
        Err(_) => return Err(Problem::not_now(2, "Too much is being read at the moment: try again.")),
    };
    match below {
        name::THUMB => small(shared, &file).await,
        _ => whole(shared, request.headers(), file, place).await,
    }
}

/// The small picture of a picture.
async fn small(shared: &Rc<Shared>, file: &File) -> Result<Response<Body>, Problem> {
    const NONE: &str = "There is no small picture of this.";
    if !file.media.is_picture() {
        return Err(Problem::missing(NONE));
    }
    let content = file.content.clone();
    let made = shared.files.painter.run(move |()| thumb::of(&content)).await;
    let busy = |_| Problem::not_now(2, "Too many pictures are being made at the moment: try again.");
    let made = made.map_err(busy)?.map_err(|error| {
        tracing::warn!(%error, "a small picture was not made");
        Problem::not_now(5, "Pictures cannot be made at the moment.")
    })?;
    let bytes = made.ok_or_else(|| Problem::missing(NONE))?;
    let media = if bytes.starts_with(&[0xff, 0xd8]) { Media::Jpeg } else { Media::Png };
    let length = bytes.len();
    let mut response = Response::new(Body::whole(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.name()));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHING));
    Ok(response)
}

/// A part of a file, from the first to before the last byte.
type Part = (u64, u64);

/// The part that a header asks for (RFC 9110, section 14.2): one; of several, all is given.
///
/// # Errors
/// There is no such part.
fn part(headers: &HeaderMap, etag: &str, size: u64) -> Result<Option<Part>, ()> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|known| known != etag) {
        return Ok(None);
    }
    let Some(range) = text(header::RANGE).and_then(|range| range.strip_prefix("bytes=")) else {
        return Ok(None);
    };
    let Some((first, last)) = range.split_once('-').filter(|_| !range.contains(',')) else { return Ok(None) };
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match (first.trim().is_empty(), number(first), last.trim().is_empty(), number(last)) {
        (true, _, false, Some(last)) if last > 0 && size > 0 => Ok(Some((size.saturating_sub(last), size))),
        (true, _, false, Some(_)) => Err(()),
        (false, Some(first), true, _) if first < size => Ok(Some((first, size))),
        (false, Some(first), false, Some(last)) if first <= last && first < size => {
            Ok(Some((first, size.min(last.saturating_add(1)))))
        }
        (false, Some(first), ..) if first >= size => Err(()),
        _ => Ok(None),
    }
}

/// A file, or a part of it.
async fn whole(
    shared: &Rc<Shared>,
    asked: &HeaderMap,
    file: File,
    place: Placed,
) -> Result<Response<Body>, Problem> {
    let etag = format!("\"{}\"", &file.sha256[..32]);
    let known = asked.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or("");
    let known = known.split(',').any(|known| {
        let known = known.trim();
        known == "*" || known.trim_start_matches("W/") == etag
    });
    let mut response = Response::new(Body::default());
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        describe(response.headers_mut(), &file, &etag);
        return Ok(response);
    }
    let asked = part(asked, &etag, file.size).map_err(|()| {
        let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "The file has no such part.");
        problem.with(header::CONTENT_RANGE, &format!("bytes */{}", file.size))
    })?;
    let (first, end) = asked.unwrap_or((0, file.size));
    let path = file.content.clone();
    let opened = shared.files.disk.run(move |()| {
        let mut opened = std::fs::File::open(path)?;
        opened.seek(SeekFrom::Start(first))?;
        Ok::<_, io::Error>(opened)
    });
    let opened =
        opened.await.map_err(|_| Problem::not_now(2, "Too much is being read at the moment: try again."))?;
    // It may have gone since it was found.
    let opened = opened.map_err(|_| gone())?;
    let until = Instant::now() + PATIENCE + Duration::from_secs((end - first) / BYTES_PER_SECOND);
    let reading =
        Reading { shared: Rc::clone(shared), file: opened, left: end - first, until, _place: place };
    *response.body_mut() = Body::pieces(reading);
    let headers = response.headers_mut();
    describe(headers, &file, &etag);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(end - first));
    if asked.is_some() {
        let range = format!("bytes {first}-{}/{}", end - 1, file.size);
        headers.extend(HeaderValue::from_str(&range).ok().map(|range| (header::CONTENT_RANGE, range)));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

fn describe(headers: &mut HeaderMap, file: &File, etag: &str) {
    let ascii: String = file
        .name
        .chars()
        .map(|sign| if sign.is_ascii_graphic() || sign == ' ' { sign } else { '_' })
        .collect();
    let way = if file.media.is_shown() { "inline" } else { "attachment" };
    let disposition = format!("{way}; filename=\"{ascii}\"; filename*=UTF-8''{}", name::encoded(&file.name));
    for (name, value) in [
        (header::CONTENT_TYPE, file.media.name()),
        (header::CONTENT_DISPOSITION, &disposition),
        (header::ETAG, etag),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, CACHING),
    ] {
        headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
    }
}

/// A file that is being read, as fast as it is taken but not for ever.
struct Reading {
    shared: Rc<Shared>,
    file: std::fs::File,
    left: u64,
    until: Instant,
    _place: Placed,
}

impl Pieces for Reading {
    async fn next(self) -> Option<(Bytes, Reading)> {
        let Reading { shared, mut file, left, until, _place } = self;
        // Less than was promised ends the connection, so that nobody takes it for the whole.
        if left == 0 || Instant::now() > until {
            return None;
        }
        let size = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        let read = shared.files.disk.run(move |()| {
            let mut bytes = vec![0; size];
            file.read_exact(&mut bytes).map(|()| (bytes, file))
        });
        let (bytes, file) = read.await.ok()?.ok()?;
        let left = left - bytes.len() as u64;
        Some((bytes.into(), Reading { shared, file, left, until, _place }))
    }
}

/// Takes a file in for somebody who is here.
async fn by_ticket(
    shared: &Rc<Shared>,
    caller: &Caller,
    doorway: &Doorway,
    request: Request<Incoming>,
    ticket: &str,
    named: &str,
) -> Result<Response<Body>, Problem> {
    const WAYS: &str = "OPTIONS, POST, PUT";
    let (head, body) = request.into_parts();
    if head.method == hyper::Method::OPTIONS {
        return Ok(offers(&shared.files.rules().types, WAYS));
    }
    if !matches!(head.method.as_str(), "PUT" | "POST") {
        let detail = "A file is sent here with PUT or POST: curl -T picture.png, and this address.";
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).with(header::ALLOW, WAYS));
    }
    own_page(doorway, &head.headers)?;
    let claim = Claim::of(shared, ticket).ok_or_else(|| {
        shared.files.refuse(Why::MayNot);
        Problem::missing(
            "This address was used, or it is too old, or you have left: UPLOAD gives another one.",
        )
    })?;
    let text =
        |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or("");
    let given = name::decoded(named).filter(|name| !name.is_empty());
    let given = given.or_else(|| name::disposed(text(header::CONTENT_DISPOSITION)));
    let (room, owner, by) = speaker(shared, &claim)?;
    let sent = Sent {
        guest: owner.starts_with("guest"),
        owner,
        by,
        exempt: Asker::nobody(shared, caller).exempt,
        name: given.unwrap_or_default(),
        said: text(header::CONTENT_TYPE).to_owned(),
        room,
    };
    let file = receive(shared, body, sent).await?;
    let url = format!("{}{}", shared.files.base(caller, &head.headers), name::path(&file.id, &file.name));
    if let Err(problem) = show(shared, &claim, &url).await {
        let id = file.id.clone();
        // Otherwise it goes by itself after a while.
        let _ = shared.files.ask(false, move |store| store.remove(&id)).await;
        shared.files.refuse(Why::MayNot);
        return Err(problem);
    }
    claim.used();
    let mut response = Response::new(Body::whole(format!("{url}\n")));
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.extend(HeaderValue::from_str(&url).ok().map(|url| (header::LOCATION, url)));
    Ok(response)
}

/// For which room a ticket is, and who is counted for it, if they may speak there now.
fn speaker(shared: &Shared, claim: &Claim) -> Result<(Option<String>, String, String), Problem> {
    let node = shared.node.borrow();
    let ticket = claim.ticket();
    let gone = || Problem::missing("You have left, so that nothing can be sent here for you.");
    let session = node.session(ticket.session).ok_or_else(gone)?;
    let user = node.chat().user(ticket.user).ok_or_else(gone)?;
    let room = ticket.room.and_then(|room| node.chat().room(room));
    if ticket.room.is_some()
        && !room.is_some_and(|room| room.member(user.id).is_some() && room.may_speak(user))
    {
        shared.files.refuse(Why::MayNot);
        return Err(Problem::new(StatusCode::FORBIDDEN, "You may not speak in the room: nothing was taken."));
    }
    let block = session.address.parse().map(crate::throttle::block_of).unwrap_or_default();
    let owner = match &user.who.account {
        Some(account) => account_owner(node.chat().mapping().fold(account).as_str()),
        None => format!("guest {block}"),
    };
    Ok((room.map(|room| room.name.to_string()), owner, user.who.nick.to_string()))
}

/// By which the files of an account are counted.
pub(crate) fn account_owner(folded: &str) -> String {
    format!("account {folded}")
}

/// Says the link in the room that the ticket is for, if it is for one.
async fn show(shared: &Rc<Shared>, claim: &Claim, url: &str) -> Result<(), Problem> {
    let ticket = claim.ticket();
    let Some(room) = ticket.room else { return Ok(()) };
    if !claim.holds() {
        return Err(Problem::missing("You have left, or it took too long: nothing was kept."));
    }
    let by = Program::Member(ticket.user);
    let saying = Saying { by, room, kind: SayKind::Privmsg, text: url.into() };
    shared.say(saying, None).await.map(drop)
}

/// Refuses what a page of elsewhere sends.
pub(crate) fn own_page(doorway: &Doorway, headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or(""));
    match text(header::ORIGIN) {
        Some(origin) if !doorway.allows(origin, text(header::HOST).unwrap_or("")) => {
            Err(Problem::new(StatusCode::FORBIDDEN, "Pages of this origin may send nothing here."))
        }
        _ => Ok(()),
    }
}

/// What can be sent, and how.
pub(crate) fn offers(types: &[String], ways: &str) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let offers =
        [(header::ALLOW, ways.to_owned()), (HeaderName::from_static("accept-post"), types.join(", "))];
    for (name, value) in offers {
        headers.extend(HeaderValue::from_str(&value).ok().map(|value| (name, value)));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_of_the_rfc() {
        let of = |range: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, range.parse().unwrap());
            part(&headers, "\"x\"", 1000)
        };
        for (range, part) in [
            ("bytes=0-499", Ok(Some((0, 500)))),
            ("bytes=500-", Ok(Some((500, 1000)))),
            ("bytes=-200", Ok(Some((800, 1000)))),
            ("bytes=-2000", Ok(Some((0, 1000)))),
            ("bytes=990-5000", Ok(Some((990, 1000)))),
            ("bytes=1000-", Err(())),
            ("bytes=-0", Err(())),
            ("bytes=5-4", Ok(None)),
            ("bytes=0-1,4-5", Ok(None)),
            ("bytes=x-", Ok(None)),
            ("lines=1-2", Ok(None)),
        ] {
            assert_eq!(of(range), part, "{range}");
        }
    }
}
