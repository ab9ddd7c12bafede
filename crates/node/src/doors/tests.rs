//! Tests of what every line looks like in every dialect.

use std::sync::Arc;

use chinwag_core::event::Who;
use chinwag_core::line::{Command, Line, Meta, Source, Text};
use chinwag_wire::msgid::{MsgId, MsgIdKey};
use chinwag_wire::numeric::Numeric;
use smallvec::SmallVec;

use super::*;

/// A little after 14:02 on the 21st of November 2026.
const NOW_MS: u64 = 1_795_269_779_000;

const FRAME: Frame<'_> =
    Frame { server: "chinwag.local", lobby: "#lobby", addressee: "bob", now_ms: NOW_MS, label: None };

fn ann() -> Source {
    let who = Who {
        nick: "ann".into(),
        user: "~ann".into(),
        host: "127.0.0.1".into(),
        account: Some("anna".into()),
    };
    Source::User(Arc::new(who))
}

fn line(source: Source, verb: &'static str, params: &[&str]) -> Line {
    Line {
        source,
        command: Command::Verb(verb),
        params: params.iter().map(|param| Text::from((*param).to_owned())).collect(),
        meta: Meta::default(),
        needs: CapSet::EMPTY,
    }
}

fn numeric(number: u16, params: &[&str]) -> Line {
    Line { command: Command::Numeric(Numeric(number)), ..line(Source::Server, "", params) }
}

fn written(door: Door, caps: &[Cap], line: &Line, frame: &Frame<'_>) -> String {
    let mut out = Vec::new();
    render(&Dialect { door, caps: CapSet::of(caps), numbers: false }, line, frame, &mut out);
    String::from_utf8(out).unwrap()
}

fn irc(line: &Line, expected: &str) {
    assert_eq!(written(Door::Irc, &[], line, &FRAME), expected);
}

fn plain(line: &Line, expected: &str) {
    assert_eq!(written(Door::Plain, &[], line, &FRAME), expected);
}

#[test]
fn irc_lines_have_source_parameters_and_colon() {
    irc(&line(ann(), "PRIVMSG", &["#tea", "hello"]), ":ann!~ann@127.0.0.1 PRIVMSG #tea :hello\r\n");
    irc(&line(ann(), "JOIN", &["#tea"]), ":ann!~ann@127.0.0.1 JOIN #tea\r\n");
    irc(&line(ann(), "MODE", &["#tea", "+k", "a b"]), ":ann!~ann@127.0.0.1 MODE #tea +k :a b\r\n");
    irc(&line(ann(), "MODE", &["#tea", "+k", ":)"]), ":ann!~ann@127.0.0.1 MODE #tea +k ::)\r\n");
    irc(&line(ann(), "TOPIC", &["#tea", ""]), ":ann!~ann@127.0.0.1 TOPIC #tea :\r\n");
    irc(&line(Source::Nobody, "PING", &["x"]), "PING x\r\n");
    irc(&line(Source::Server, "PONG", &["chinwag.local", "x"]), ":chinwag.local PONG chinwag.local :x\r\n");
    irc(&numeric(332, &["#tea", "green"]), ":chinwag.local 332 bob #tea :green\r\n");
    irc(&numeric(324, &["#tea", "+nt"]), ":chinwag.local 324 bob #tea +nt\r\n");
    irc(&numeric(1, &["Welcome"]), ":chinwag.local 001 bob :Welcome\r\n");
}

#[test]
fn irc_lines_cannot_be_ended_from_inside() {
    irc(
        &line(ann(), "PRIVMSG", &["#tea", "a\r\nQUIT\0b"]),
        ":ann!~ann@127.0.0.1 PRIVMSG #tea :a  QUIT b\r\n",
    );
}

#[test]
fn irc_lines_fit_the_limit_and_end_with_a_whole_character() {
    let long = line(ann(), "PRIVMSG", &["#tea", &"ü".repeat(400)]);
    let tagged = Line { meta: Meta { at_ms: Some(0), ..Meta::default() }, ..long };
    let text = written(Door::Irc, &[Cap::ServerTime], &tagged, &FRAME);
    let (_, body) = text.split_once(' ').unwrap();
    assert!(body.len() == 511 || body.len() == 512, "{}", body.len());
    assert!(text.ends_with("ü\r\n"));
}

#[test]
fn tags_follow_the_capabilities() {
    let msgid = MsgId::stored(&MsgIdKey([1, 2]), 7);
    let meta = Meta {
        at_ms: Some(1_795_227_000_123),
        msgid: Some(msgid),
        client_tags: Some("+draft/reply=x;+y".into()),
        batch: Some("b1".into()),
        ..Meta::default()
    };
    let said = Line { meta, ..line(ann(), "PRIVMSG", &["#tea", "hi"]) };
    let labelled = Frame { label: Some("l;1"), ..FRAME };
    let check = |caps: &[Cap], tags: &str| {
        let expected = format!("{tags}:ann!~ann@127.0.0.1 PRIVMSG #tea :hi\r\n");
        assert_eq!(written(Door::Irc, caps, &said, &labelled), expected);
    };
    check(&[], "");
    check(&[Cap::ServerTime], "@time=2026-11-21T02:10:00.123Z ");
    check(&[Cap::Batch], "@batch=b1 ");
    check(&[Cap::AccountTag], "@account=anna ");
    check(&[Cap::LabeledResponse, Cap::Batch], "@label=l\\:1;batch=b1 ");
    check(&[Cap::MessageTags], &format!("@msgid={};+draft/reply=x;+y ", msgid.as_str()));
}

#[test]
fn capabilities_decide_what_is_needed_and_what_is_more() {
    let more = Some((Cap::ExtendedJoin, SmallVec::from_iter([Text::from("anna"), Text::from("Ann")])));
    let joined = Line { meta: Meta { more, ..Meta::default() }, ..line(ann(), "JOIN", &["#tea"]) };
    irc(&joined, ":ann!~ann@127.0.0.1 JOIN #tea\r\n");
    assert_eq!(
        written(Door::Irc, &[Cap::ExtendedJoin], &joined, &FRAME),
        ":ann!~ann@127.0.0.1 JOIN #tea anna :Ann\r\n"
    );
    let away = Line { needs: CapSet::of(&[Cap::AwayNotify]), ..line(ann(), "AWAY", &["tea"]) };
    irc(&away, "");
    assert_eq!(written(Door::Irc, &[Cap::AwayNotify], &away, &FRAME), ":ann!~ann@127.0.0.1 AWAY :tea\r\n");
}

#[test]
fn plain_lines_are_sentences() {
    plain(&line(ann(), "PRIVMSG", &["#lobby", "hello"]), "ann: hello\n");
    plain(&line(ann(), "PRIVMSG", &["#Tea", "hello"]), "[#Tea] ann: hello\n");
    plain(&line(ann(), "PRIVMSG", &["#lobby", "\u{1}ACTION waves\u{1}"]), "* ann waves\n");
    plain(&line(ann(), "PRIVMSG", &["#lobby", "\u{1}VERSION\u{1}"]), "");
    plain(&line(ann(), "PRIVMSG", &["Bob", "psst"]), "[ann -> you] psst\n");
    plain(&line(ann(), "JOIN", &["#LOBBY"]), "[+] ann joined the chat...\n");
    plain(&line(ann(), "JOIN", &["#tea"]), "[+] ann joined #tea\n");
    plain(&line(ann(), "PART", &["#lobby"]), "[X] ann left the chat...\n");
    plain(&line(ann(), "QUIT", &["bye"]), "[X] ann left the chat... (bye)\n");
    plain(&line(ann(), "QUIT", &["Quit"]), "[X] ann left the chat...\n");
    plain(&line(ann(), "QUIT", &["Quit: tired"]), "[X] ann left the chat... (tired)\n");
    plain(&line(Source::Nobody, "ERROR", &["Quit"]), "Goodbye.\n");
    plain(&line(ann(), "NICK", &["anne"]), "ann is now known as anne.\n");
    plain(&line(ann(), "TOPIC", &["#lobby", "tea"]), "ann set the topic: tea\n");
    plain(&line(ann(), "KICK", &["#tea", "bob", "no"]), "[X] bob was put out of #tea by ann (no)\n");
    plain(&line(ann(), "MODE", &["#tea", "+o", "bob"]), "[#tea] ann made bob an operator.\n");
    plain(
        &line(ann(), "MODE", &["#lobby", "+nk", "x"]),
        "ann lets only those speak who are in the room.\nann locked the room with the key x.\n",
    );
    plain(&line(Source::Nobody, "PING", &["x"]), "");
    plain(&numeric(353, &["=", "#lobby", "ann bob"]), "here: ann, bob\n");
    plain(&numeric(332, &["#tea", "green"]), "[#tea] topic: green\n");
    plain(&numeric(366, &["#lobby", "End of /NAMES list"]), "");
    plain(&numeric(499, &["#tea", "something new"]), "! #tea something new\n");
    let me = Frame { addressee: "ann", ..FRAME };
    assert_eq!(
        written(Door::Plain, &[], &line(ann(), "PRIVMSG", &["bob", "psst"]), &me),
        "[you -> bob] psst\n"
    );
}

#[test]
fn plain_history_has_its_time() {
    let meta = Meta { at_ms: Some(1_795_227_000_123), batch: Some("b1".into()), ..Meta::default() };
    plain(&Line { meta, ..line(ann(), "PRIVMSG", &["#lobby", "hi"]) }, "[02:10] ann: hi\n");
}

#[test]
fn nothing_that_a_terminal_obeys_reaches_a_plain_caller() {
    let text =
        written(Door::Plain, &[], &line(ann(), "PRIVMSG", &["#lobby", "a\u{1b}[2Jb\u{9b}31m\r\nc"]), &FRAME);
    assert!(!text.trim_end_matches('\n').contains(|c: char| c.is_control()), "{text:?}");
    assert_eq!(text.matches('\n').count(), 1);
}

#[test]
fn names_that_look_like_a_status_message_are_rooms() {
    plain(&line(ann(), "PRIVMSG", &["@#tea", "ops only"]), "[#tea] (to @) ann: ops only\n");
}

#[test]
fn what_was_said_on_another_day_does_not_look_like_today() {
    let said = |at_ms: u64| {
        let mut line = line(ann(), "PRIVMSG", &["#lobby", "hi"]);
        line.meta.at_ms = Some(at_ms);
        line.meta.batch = Some("h".into());
        line
    };
    plain(&said(NOW_MS - 60_000), "[14:01] ann: hi\n");
    plain(&said(NOW_MS - 86_400_000), "[2026-11-20 14:02] ann: hi\n");
}

#[test]
fn nobody_counts_the_seconds_of_a_silent_day() {
    for (seconds, shown) in [
        ("0", "0 seconds"),
        ("119", "119 seconds"),
        ("120", "2 minutes"),
        ("7200", "2 hours"),
        ("400000", "4 days"),
    ] {
        plain(
            &numeric(317, &["ann", seconds, "1", "idle"]),
            &format!("* ann has been silent for {shown}.\n"),
        );
    }
}

#[test]
fn refused_rooms_are_explained_to_plain_callers() {
    plain(
        &numeric(476, &["#\u{1}", "Bad channel name"]),
        "! # cannot be a room: choose a shorter name, without commas and odd signs.\n",
    );
    plain(
        &numeric(405, &["#x", "You have joined too many channels"]),
        "! You are in so many rooms that #x would be one too many: /part one first.\n",
    );
}
