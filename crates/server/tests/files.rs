//! Files over real sockets: handed in by every way, got by whoever has the link, refused in all the ways there are, and gone
//! with their message.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use chinwag_server::Config;
use chinwag_server::config::HashCost;
use chinwag_testkit::caller::Caller;
use common::http::{Answer, ask, connect, head};
use common::{Place, config};
use serde_json::{Value, json};

/// The beginning of a picture: enough to be known as one.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR and so on, and so on";

fn files_config() -> Config {
    let mut config = config();
    config.accounts.hash_cost = HashCost::Test;
    // However full the disk of whoever runs this is.
    config.web.file_free_bytes = 0;
    config
}

fn account(address: SocketAddr, nick: &str) -> Caller {
    let mut caller = Caller::irc(address, nick, "standard-replies echo-message message-tags");
    caller.send("REGISTER * * correct-horse");
    caller.until(|line| line.contains(" 900 "));
    caller.joined("#lobby")
}

fn bearer(caller: &mut Caller) -> String {
    caller.send("TOKEN ADD files");
    let line = caller.until(|line| line.contains("NOTE TOKEN MADE"));
    let token = line[line.find("chw_").unwrap()..].split(' ').next().unwrap().to_owned();
    format!("Authorization: Bearer {token}\r\n")
}

/// Hands a file in by the API.
fn hand_in(place: &Place, proof: &str, name: &str, bytes: &[u8]) -> Answer {
    let headers = format!("{proof}Content-Disposition: attachment; filename=\"{name}\"\r\n");
    ask(place.address(), "POST", "/api/v1/files", &headers, bytes)
}

/// The path of what was handed in.
fn path(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{answer:?}");
    let url = answer.header("location").unwrap();
    url[url.find("/files/").unwrap()..].to_owned()
}

fn get(place: &Place, path: &str) -> Answer {
    ask(place.address(), "GET", path, "", b"")
}

/// The contents on the disk, and what is coming in.
fn contents(place: &Place) -> (Vec<PathBuf>, usize) {
    let folder = place.data().join("files");
    let list =
        |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let coming = list(folder.join("coming")).count();
    let parts = list(folder).filter(|part| !part.ends_with("coming"));
    (parts.flat_map(list).collect(), coming)
}

/// Waits until something holds.
fn soon(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(20));
    }
}

/// An address to send a file to.
fn ticket(caller: &mut Caller, target: &str) -> String {
    caller.send(&format!("UPLOAD {target}"));
    let line = caller.until(|line| line.contains("UPLOAD TICKET") || line.contains("FAIL UPLOAD"));
    let at = line.find("/files/up/").unwrap_or_else(|| panic!("{line}"));
    line[at..].split(' ').next().unwrap().to_owned()
}

fn pong(caller: &mut Caller) {
    caller.send("PING now");
    caller.until(|line| line.contains("PONG"));
}

#[test]
fn a_file_is_handed_in_and_goes_with_its_message() {
    let mut place = Place::start(files_config());
    let mut ann = account(place.address(), "ann");
    let proof = bearer(&mut ann);
    let kept = hand_in(&place, &proof, "../Ein Bild.png", PNG);
    let path = path(&kept);
    assert!(path.ends_with("/Ein%20Bild.png"), "{path}");
    let file = kept.json();
    assert_eq!(
        (&file["type"], &file["size"], &file["by"]),
        (&json!("image/png"), &json!(PNG.len()), &json!("ann"))
    );
    let got = get(&place, &path);
    assert_eq!((got.status, &got.body[..]), (200, PNG));
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-disposition", "inline; filename=\"Ein Bild.png\"; filename*=UTF-8''Ein%20Bild.png"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox; frame-ancestors 'none'"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "private, max-age=86400, immutable"),
        ("accept-ranges", "bytes"),
    ] {
        assert_eq!(got.header(name), Some(value));
    }
    assert_eq!(got.header("access-control-allow-origin"), None);
    let etag = got.header("etag").unwrap();
    let again = ask(place.address(), "GET", &path, &format!("If-None-Match: {etag}\r\n"), b"");
    assert_eq!((again.status, again.body.len()), (304, 0));
    let only = ask(place.address(), "HEAD", &path, "", b"");
    assert_eq!((only.status, only.header("content-length")), (200, Some(&*PNG.len().to_string())));
    let part = ask(place.address(), "GET", &path, "Range: bytes=1-3\r\n", b"");
    assert_eq!((part.status, &part.body[..]), (206, &b"PNG"[..]));
    assert_eq!(part.header("content-range"), Some(&*format!("bytes 1-3/{}", PNG.len())));
    assert_eq!(ask(place.address(), "GET", &path, "Range: bytes=999-\r\n", b"").status, 416);
    // Said in a message, it is there after a restart, and goes with the message.
    ann.send(&format!("PRIVMSG #lobby :look: {}", kept.header("location").unwrap()));
    let line = ann.until(|line| line.contains("PRIVMSG #lobby"));
    let msgid = line.split("msgid=").nth(1).unwrap().split([';', ' ']).next().unwrap().to_owned();
    let listed = || ask(place.address(), "GET", "/api/v1/files", &proof, b"").json();
    soon("the message is found", || listed()["files"][0]["messages"] == 1);
    assert_eq!(listed()["used"]["bytes"], PNG.len());
    place.restart(files_config());
    assert_eq!(get(&place, &path).body, PNG);
    let mut ann = Caller::irc(place.address(), "ann2", "standard-replies sasl message-tags");
    ann.send("NS IDENTIFY ann correct-horse");
    ann.until(|line| line.contains(" 900 "));
    let mut ann = ann.joined("#lobby");
    ann.send(&format!("REDACT #lobby {msgid}"));
    pong(&mut ann);
    soon("it is gone", || get(&place, &path).status == 404);
    assert_eq!(contents(&place), (vec![], 0));
}

#[test]
fn an_edit_that_takes_the_link_away_takes_the_file() {
    let place = Place::start(files_config());
    let mut ann = account(place.address(), "ann");
    let proof = bearer(&mut ann);
    let path = path(&hand_in(&place, &proof, "x.txt", b"hello"));
    ann.send(&format!("PRIVMSG #lobby :{path}"));
    ann.until(|line| line.contains("PRIVMSG #lobby"));
    let listed = || ask(place.address(), "GET", "/api/v1/files", &proof, b"").json();
    soon("the message is found", || listed()["files"][0]["messages"] == 1);
    ann.send("EDIT #lobby 1 :nothing to see");
    pong(&mut ann);
    soon("it is gone", || get(&place, &path).status == 404);
}

#[test]
fn what_a_purge_hides_is_hidden() {
    let place = Place::start(files_config());
    let mut ann = account(place.address(), "ann").joined("#den");
    let mut bob = Caller::irc(place.address(), "bob", "standard-replies").joined("#den");
    let at = ticket(&mut bob, "#den");
    assert_eq!(ask(place.address(), "PUT", &format!("{at}x.txt"), "", b"hello").status, 201);
    let line = ann.until(|line| line.contains("PRIVMSG #den"));
    let path = line[line.find("/files/").unwrap()..].to_owned();
    assert_eq!(get(&place, &path).status, 200);
    ann.send("PURGE #den bob 1h");
    ann.send("PURGE #den CONFIRM");
    pong(&mut ann);
    soon("it is hidden", || get(&place, &path).status == 404);
    assert_eq!(contents(&place).0.len(), 1);
    ann.send("PURGE #den UNDO 1");
    pong(&mut ann);
    soon("it is back", || get(&place, &path).status == 200);
    ann.send("PURGE #den bob 1h");
    ann.send("PURGE #den CONFIRM");
    ann.send("PURGE #den FINAL 2");
    pong(&mut ann);
    soon("it is gone", || contents(&place).0.is_empty());
    assert_eq!(get(&place, &path).status, 404);
}

#[test]
fn passwords_are_taken_as_the_filehost_specification_has_it() {
    let mut limited = files_config();
    limited.throttle.exempt.clear();
    limited.throttle.connections = false;
    limited.throttle.wrong_passwords_per_hour = 3;
    let place = Place::start(limited);
    let mut ann = Caller::irc(place.address(), "ann", "standard-replies");
    ann.send("ISUPPORT");
    let line = ann.until(|line| line.contains("draft/FILEHOST="));
    let offered = format!("draft/FILEHOST=http://{}/api/v1/files", place.address());
    assert!(line.contains(&offered) && line.contains(" soju.im/FILEHOST="), "{line}");
    let offer = ask(place.address(), "OPTIONS", "/api/v1/files", "", b"");
    assert_eq!((offer.status, offer.header("accept-post")), (204, Some("*/*")));
    assert_eq!(offer.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
    ann.send("REGISTER * * correct-horse");
    ann.until(|line| line.contains(" 900 "));
    let basic =
        |text: &str| format!("Authorization: Basic {}\r\n", chinwag_wire::base64::encode(text.as_bytes()));
    let kept = hand_in(&place, &basic("ANN:correct-horse"), "x.txt", b"hello");
    assert_eq!(get(&place, &path(&kept)).header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(hand_in(&place, "", "x.txt", b"hello").problem(), 401);
    for wrong in ["ann:wrong", "nobody:correct-horse", "ann"] {
        assert_eq!(hand_in(&place, &basic(wrong), "x.txt", b"hello").problem(), 401, "{wrong}");
    }
    // The right one is not looked at either, once there were too many wrong ones.
    for _ in 0..2 {
        hand_in(&place, &basic("ann:wrong"), "x.txt", b"hello");
    }
    assert_eq!(hand_in(&place, &basic("ann:correct-horse"), "x.txt", b"hello").problem(), 429);
}

#[test]
fn a_ticket_is_for_one_file_of_somebody_who_is_here_and_may_speak() {
    let place = Place::start(files_config());
    let mut ann = account(place.address(), "ann").joined("#den");
    let mut bob = Caller::irc(place.address(), "bob", "standard-replies echo-message").joined("#den");
    let at = ticket(&mut bob, "#den");
    assert_eq!(get(&place, &at).status, 405);
    let kept = ask(place.address(), "PUT", &format!("{at}caf%C3%A9.png"), "", PNG);
    let url = String::from_utf8(kept.body.clone()).unwrap();
    assert_eq!((kept.status, kept.header("location")), (201, Some(url.trim())));
    for caller in [&mut ann, &mut bob] {
        let line = caller.until(|line| line.contains("PRIVMSG #den"));
        assert!(line.contains(":bob!") && line.ends_with(url.trim()), "{line}");
    }
    assert!(url.ends_with("/caf%C3%A9.png\n"), "{url}");
    assert_eq!(ask(place.address(), "PUT", &at, "", PNG).status, 404, "it was used");
    // One who may not speak any more.
    let at = ticket(&mut bob, "#den");
    ann.send("MODE #den +m");
    pong(&mut ann);
    let refused = ask(place.address(), "PUT", &at, "", b"quiet");
    assert_eq!(refused.status, 403, "{refused:?}");
    bob.send("UPLOAD #den");
    bob.until(|line| line.contains(" 404 "));
    ann.send("MODE #den -m");
    pong(&mut ann);
    assert_eq!(
        ask(place.address(), "POST", &at, "", b"loud").status,
        201,
        "what was not taken may be sent again"
    );
    // One who was put out, and one who has left.
    let (den, own) = (ticket(&mut bob, "#den"), ticket(&mut bob, "*"));
    ann.send("KICK #den bob");
    pong(&mut ann);
    assert_eq!(ask(place.address(), "PUT", &den, "", b"x").status, 403);
    let kept =
        ask(place.address(), "PUT", &own, "Content-Disposition: attachment; filename=a.txt\r\n", b"mine");
    assert!(String::from_utf8_lossy(&kept.body).ends_with("/a.txt\n"), "{kept:?}");
    drop(bob);
    soon("the ticket ends", || ask(place.address(), "PUT", &den, "", b"x").status == 404);
    // Nothing but what was said, and what bob was to say himself.
    assert_eq!(contents(&place), (contents(&place).0, 0));
    assert_eq!(contents(&place).0.len(), 3);
    for wrong in ["#nowhere", "#lobby2"] {
        ann.send(&format!("UPLOAD {wrong}"));
        ann.until(|line| line.contains(" 403 "));
    }
}

#[test]
fn plain_callers_hand_files_in_as_well() {
    let place = Place::start(files_config());
    let mut carl = Caller::connect(place.address());
    carl.send("carl");
    carl.until(|line| line.starts_with("here:"));
    carl.send("/upload");
    let line = carl.until(|line| line.contains("/files/up/"));
    assert!(line.contains("curl -T picture.png http://127.0.0.1:"), "{line}");
    let at = line[line.find("/files/up/").unwrap()..].split(' ').next().unwrap();
    assert_eq!(ask(place.address(), "PUT", &format!("{at}x.txt"), "", b"hello").status, 201);
    let line = carl.until(|line| line.contains("/x.txt"));
    assert!(line.contains("carl"), "{line}");
    for n in 0..9 {
        carl.send("/upload");
        let line = carl.until(|line| line.contains("/files/up/") || line.contains("too many"));
        assert_eq!(line.contains("too many"), n == 8, "{line}");
    }
}

#[test]
fn what_browsers_would_run_is_never_shown() {
    let place = Place::start(files_config());
    let proof = bearer(&mut account(place.address(), "ann"));
    let cases: &[(&str, &[u8], &str, &str)] = &[
        ("a.html", b"<!doctype html><script>alert(1)</script>", "application/octet-stream", "attachment"),
        ("a.txt", b"  <svg onload=alert(1)>", "application/octet-stream", "attachment"),
        ("a.svg", b"no markup at first sight", "application/octet-stream", "attachment"),
        ("a.js", b"alert(1)", "application/octet-stream", "attachment"),
        ("a.pdf", b"%PDF-1.7", "application/octet-stream", "attachment"),
        ("a.exe", b"MZ\0\0", "application/octet-stream", "attachment"),
        ("a.html", b"GIF89a/*<script>alert(1)</script>*/=1", "image/gif", "inline"),
        ("a.html.png", PNG, "image/png", "inline"),
        ("a.txt", b"alert(1)", "text/plain; charset=utf-8", "inline"),
        ("a.txt", b"ends in the middle \xe2\x82", "application/octet-stream", "attachment"),
    ];
    for (name, bytes, media, way) in cases {
        let got = get(&place, &path(&hand_in(&place, &proof, name, bytes)));
        assert_eq!((got.status, got.header("content-type")), (200, Some(*media)), "{name}");
        assert!(got.header("content-disposition").unwrap().starts_with(&format!("{way}; ")), "{name}");
        let policy = got.header("content-security-policy").unwrap();
        assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"));
    }
    // What is said of a kind is believed only where that makes it less.
    let headers = format!("{proof}Content-Type: text/html\r\n");
    let kept = ask(place.address(), "POST", "/api/v1/files", &headers, b"alert(1)");
    assert_eq!(kept.json()["type"], "application/octet-stream");
    let headers = format!("{proof}Content-Type: image/png\r\n");
    let kept = ask(place.address(), "POST", "/api/v1/files", &headers, b"<script>");
    assert_eq!(kept.json()["type"], "application/octet-stream");
}

#[test]
fn names_of_strangers_do_no_harm() {
    let place = Place::start(files_config());
    let proof = bearer(&mut account(place.address(), "ann"));
    for (name, shown) in [
        ("../../../etc/passwd", "passwd"),
        ("exe.\u{202e}gnp.txt", "exe._gnp.txt"),
        (&*format!("{}.png", "x".repeat(300)), &*format!("{}.png", "x".repeat(116))),
        ("a%0d%0aSet-Cookie: b.txt", "a_0d_0aSet-Cookie_ b.txt"),
        ("", "file"),
        ("thumb", "thumb_"),
    ] {
        let kept = hand_in(&place, &proof, name, b"hello");
        assert_eq!(kept.json()["name"], shown);
        let got = get(&place, &path(&kept));
        assert_eq!((got.status, got.header("set-cookie")), (200, None));
    }
    let at = |tail: &str| {
        ask(place.address(), "POST", "/api/v1/files", &format!("{proof}{tail}\r\n"), b"x").status
    };
    assert_eq!(at("Content-Disposition: attachment; filename*=UTF-8''a%0d%0aX-Evil: 1"), 201);
    assert_eq!(at(&format!("Content-Disposition: attachment; filename={}", "x".repeat(2000))), 400);
    for path in
        ["/files/", "/files/../chat.db", "/files/%2e%2e/chat.db", "/files/abc", "/files/up/", "/files/up/x/"]
    {
        let got = get(&place, path);
        assert!(matches!(got.status, 404 | 405), "{path}: {got:?}");
    }
}

#[test]
fn what_is_too_much_is_refused_and_leaves_nothing() {
    let mut small = files_config();
    small.web.file_max_bytes = 10_000;
    small.web.file_account_bytes = 15_000;
    small.web.file_guest_bytes = 5_000;
    small.web.file_types = vec!["image/*".to_owned(), "text/plain".to_owned()];
    let mut place = Place::start(small.clone());
    let mut ann = account(place.address(), "ann");
    let proof = bearer(&mut ann);
    let text = |bytes: usize| "x".repeat(bytes).into_bytes();
    assert_eq!(hand_in(&place, &proof, "x", &text(10_001)).problem(), 413);
    // The same when nobody says how long it is.
    let mut stream = connect(place.address());
    write!(stream, "POST /api/v1/files HTTP/1.1\r\nHost: x\r\n{proof}Transfer-Encoding: chunked\r\n\r\n")
        .unwrap();
    for _ in 0..3 {
        // Who is refused early need not take the rest.
        let _ = write!(stream, "1000\r\n{}\r\n", "x".repeat(4096));
    }
    assert_eq!(head(&mut stream).status, 413);
    assert_eq!(hand_in(&place, &proof, "x", b"\x7fELF\0\0").problem(), 415);
    assert_eq!(hand_in(&place, &proof, "x", b"").problem(), 422);
    // Cut in the middle.
    let mut stream = connect(place.address());
    let proof_head = format!("{proof}Content-Length: 9000\r\n");
    write!(stream, "POST /api/v1/files HTTP/1.1\r\nHost: x\r\n{proof_head}\r\nhalf of").unwrap();
    soon("it is coming in", || contents(&place).1 == 1);
    drop(stream);
    soon("nothing is left", || contents(&place).1 == 0);
    assert_eq!(hand_in(&place, &proof, "x", &text(10_000)).status, 201);
    assert_eq!(
        hand_in(&place, &proof, "x", &text(10_000)).problem(),
        507,
        "what is there already counts, too"
    );
    assert_eq!(hand_in(&place, &proof, "x", &text(5_000)).status, 201);
    let mut bob = Caller::irc(place.address(), "bob", "standard-replies").joined("#lobby");
    let at = ticket(&mut bob, "#lobby");
    assert_eq!(ask(place.address(), "PUT", &at, "", &text(5_001)).status, 507);
    assert_eq!(ask(place.address(), "PUT", &at, "", &text(4_000)).status, 201);
    assert_eq!(contents(&place).0.len(), 3);
    small.web.file_total_bytes = 1_000;
    place.restart(small.clone());
    assert_eq!(hand_in(&place, &proof, "x", b"hello").problem(), 507);
    small.web.file_total_bytes = u64::MAX;
    small.web.file_free_bytes = 1 << 60;
    place.restart(small.clone());
    assert_eq!(hand_in(&place, &proof, "x", b"y").problem(), 507);
    small.web.files = false;
    place.restart(small);
    assert_eq!(hand_in(&place, &proof, "x", b"hello").problem(), 404);
    let mut bob = Caller::irc(place.address(), "bob", "standard-replies").joined("#lobby");
    bob.send("UPLOAD #lobby");
    bob.until(|line| line.contains("FAIL UPLOAD DISABLED"));
}

#[test]
fn equal_contents_are_kept_once_and_nobody_learns_of_it() {
    let place = Place::start(files_config());
    let proof = bearer(&mut account(place.address(), "ann"));
    let paths: Vec<String> = std::thread::scope(|scope| {
        let one = || scope.spawn(|| path(&hand_in(&place, &proof, "x.txt", b"the same")));
        [one(), one(), one()].map(|thread| thread.join().unwrap()).to_vec()
    });
    assert_eq!(contents(&place), (contents(&place).0, 0));
    assert_eq!(contents(&place).0.len(), 1);
    assert!(paths[0] != paths[1] && paths[1] != paths[2]);
    for (n, path) in paths.iter().enumerate() {
        let id = path.split('/').nth(2).unwrap();
        let gone = ask(place.address(), "DELETE", &format!("/api/v1/files/{id}"), &proof, b"");
        assert_eq!((gone.status, get(&place, path).status), (200, 404));
        assert_eq!(contents(&place).0.len(), usize::from(n < 2));
    }
}

#[test]
fn what_a_crash_leaves_is_removed_at_the_next_start() {
    let mut place = Place::start(files_config());
    let proof = bearer(&mut account(place.address(), "ann"));
    let path = path(&hand_in(&place, &proof, "x.txt", b"hello"));
    place.stop();
    let folder = place.data().join("files");
    // Between the name and the row; while it was coming in; a picture of nothing.
    std::fs::create_dir_all(folder.join("ab")).unwrap();
    let orphan = folder.join("ab").join("0".repeat(62));
    for file in [&orphan, &orphan.with_extension("small"), &folder.join("coming").join("half")] {
        std::fs::write(file, b"x").unwrap();
    }
    place.restart(files_config());
    assert_eq!(get(&place, &path).body, b"hello");
    soon("it is swept", || contents(&place).0.len() == 1 && contents(&place).1 == 0);
}

#[test]
fn files_are_part_of_a_backup() {
    let mut place = Place::start(files_config());
    let mut ann = account(place.address(), "ann");
    let proof = bearer(&mut ann);
    let (said, unsaid) = (
        path(&hand_in(&place, &proof, "x.txt", b"said")),
        path(&hand_in(&place, &proof, "y.txt", b"not said")),
    );
    ann.send(&format!("PRIVMSG #lobby :{said}"));
    ann.until(|line| line.contains("PRIVMSG #lobby"));
    let listed = || ask(place.address(), "GET", "/api/v1/files", &proof, b"").json();
    soon("the message is found", || listed()["files"][1]["messages"] == 1);
    let away = tempfile::tempdir().unwrap();
    let file = away.path().join("one.chinwag-backup");
    chinwag_archive::backup(&place.data(), &file, 1, &mut |_| {}).unwrap();
    // What came afterwards is not in it.
    let after = path(&hand_in(&place, &proof, "z.txt", b"after"));
    place.stop();
    chinwag_archive::restore(&file, &place.data(), true, 2, &mut |_| {}).unwrap();
    place.restart(files_config());
    assert_eq!(
        (get(&place, &said).body, get(&place, &unsaid).body),
        (b"said".to_vec(), b"not said".to_vec())
    );
    assert_eq!(get(&place, &after).status, 404);
    soon("nothing else is left", || contents(&place).0.len() == 2);
    let listed = || ask(place.address(), "GET", "/api/v1/files", &proof, b"").json();
    assert_eq!(listed()["files"][1]["messages"], 1);
    assert_eq!(chinwag_files::examine(&place.data()).unwrap().unwrap().links, 2);
}

#[test]
fn others_see_and_delete_only_their_own() {
    let place = Place::start(files_config());
    let (mut ann, mut bob) = (account(place.address(), "ann"), account(place.address(), "bob"));
    let (anns, bobs) = (bearer(&mut ann), bearer(&mut bob));
    let path = path(&hand_in(&place, &anns, "x.txt", b"hello"));
    let id = path.split('/').nth(2).unwrap();
    let of =
        |proof: &str, query: &str| ask(place.address(), "GET", &format!("/api/v1/files{query}"), proof, b"");
    assert_eq!(of(&anns, "").json()["files"][0]["id"], id);
    assert_eq!(of(&bobs, "").json()["files"], Value::Array(vec![]));
    assert_eq!(of(&bobs, "?of=all").problem(), 403);
    assert_eq!(of("", "").problem(), 401);
    let delete =
        |proof: &str| ask(place.address(), "DELETE", &format!("/api/v1/files/{id}"), proof, b"").status;
    assert_eq!((delete(&bobs), delete(""), get(&place, &path).status), (404, 401, 200));
    bob.send("TOKEN ADD r read");
    let line = bob.until(|line| line.contains("NOTE TOKEN MADE"));
    let token = line[line.find("chw_").unwrap()..].split(' ').next().unwrap();
    assert_eq!(hand_in(&place, &format!("Authorization: Bearer {token}\r\n"), "x", b"x").problem(), 403);
}

#[test]
fn pages_of_elsewhere_hand_nothing_in() {
    let place = Place::start(files_config());
    let mut ann = account(place.address(), "ann");
    let proof = bearer(&mut ann);
    let evil = "Origin: https://evil.example\r\n";
    assert_eq!(hand_in(&place, &format!("{proof}{evil}"), "x", b"x").problem(), 403);
    let at = ticket(&mut ann, "#lobby");
    let refused = ask(place.address(), "PUT", &at, evil, b"x");
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (403, None));
    let asked = ask(place.address(), "OPTIONS", "/api/v1/files", evil, b"");
    assert_eq!(asked.header("access-control-allow-origin"), None);
    assert_eq!(ask(place.address(), "PUT", &at, "Origin: http://localhost\r\n", b"x").status, 201);
}

#[test]
fn who_never_reads_a_file_keeps_nobody_waiting() {
    let place = Place::start(files_config());
    let mut ann = account(place.address(), "ann");
    let proof = bearer(&mut ann);
    let big = vec![b'x'; 8_000_000];
    let path = path(&hand_in(&place, &proof, "big.txt", &big));
    let silent: Vec<_> = (0..24)
        .map(|_| {
            let mut stream = connect(place.address());
            write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            assert_eq!(head(&mut stream).status, 200);
            stream
        })
        .collect();
    pong(&mut ann);
    assert_eq!(get(&place, &path).status, 429, "so many at once are the most of one");
    drop(silent);
    soon("there is room again", || get(&place, &path).status == 200);
    let mut all = Vec::new();
    let mut stream = connect(place.address());
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert_eq!(head(&mut stream).status, 200);
    stream.read_to_end(&mut all).unwrap();
    assert!(all == big, "{} of {} bytes", all.len(), big.len());
}
