//! Tests of what plain callers type, and what is asked of the chat then.

use chinwag_core::settings::Settings;

use super::machine::{Ask, PlainDoor};

/// A caller, and everything that it asked for, as lines.
struct Caller(PlainDoor);

impl Caller {
    fn new() -> Self {
        Caller(PlainDoor::new(&Settings::default()))
    }

    /// One who is in the lobby already.
    fn named(nick: &str) -> Self {
        let mut caller = Self::new();
        caller.send(&format!("{nick}\n"));
        caller.come_in(nick);
        caller
    }

    fn come_in(&mut self, nick: &str) {
        self.0.registered(nick);
        self.0.entered("#lobby", false);
        self.asks();
    }

    fn send(&mut self, text: &str) -> Vec<String> {
        self.send_bytes(text.as_bytes())
    }

    fn send_bytes(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut input = bytes;
        let mut asks = Vec::new();
        while !input.is_empty() {
            self.0.feed(&mut input);
            asks.extend(self.asks());
        }
        asks
    }

    fn burst(&mut self, text: &str) -> Vec<String> {
        let mut asks = self.send(text);
        assert_eq!(self.0.gather_ms(), 20);
        self.0.gathered();
        asks.extend(self.asks());
        asks
    }

    fn asks(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.0.next_ask()).map(shown).collect()
    }
}

fn shown(ask: Ask) -> String {
    match ask {
        Ask::Request(request) => request,
        Ask::Tell(text) => text.trim_end().to_owned(),
        Ask::Raw(bytes) => format!("raw {}", String::from_utf8_lossy(bytes)),
        Ask::Echo(on) => format!("echo {on}"),
        Ask::Close(reason) => format!("close {reason}"),
    }
}

#[test]
fn the_first_line_is_the_name_and_brings_the_caller_to_the_lobby() {
    let mut caller = Caller::new();
    assert_eq!(caller.send("ann\r\n"), ["USER ann 0 * :ann", "NICK ann", "PING door"]);
    assert!(!caller.0.gathering());
    caller.0.registered("ann");
    let asks = caller.asks();
    assert!(asks[0].starts_with("* /help"), "{asks:?}");
    assert_eq!(asks[1..], ["JOIN #lobby", "PING door"]);
    caller.0.entered("#lobby", false);
    assert_eq!(caller.asks(), ["CHATHISTORY LATEST #lobby * 20"]);
    assert_eq!(caller.send("hello\nworld\n"), ["PRIVMSG #lobby :hello", "PRIVMSG #lobby :world"]);
}

#[test]
fn whoever_is_silent_is_asked_once() {
    let mut caller = Caller::new();
    caller.0.silence();
    caller.0.silence();
    assert_eq!(caller.asks(), ["raw NICK"]);
}

#[test]
fn a_name_without_line_end_makes_every_burst_a_message() {
    let mut caller = Caller::new();
    assert!(caller.send("ann").is_empty());
    assert!(caller.0.gathering());
    caller.0.gathered();
    assert_eq!(caller.asks(), ["USER ann 0 * :ann", "NICK ann", "PING door"]);
    caller.come_in("ann");
    assert_eq!(caller.burst("ann: hello"), ["PRIVMSG #lobby :hello"]);
    assert_eq!(caller.burst("two\nlines"), ["PRIVMSG #lobby :two", "PRIVMSG #lobby :lines"]);
    assert_eq!(caller.burst("ann: exit"), ["QUIT"]);
}

#[test]
fn a_name_byte_by_byte_gets_time() {
    let mut caller = Caller::new();
    for byte in ["a", "n", "n"] {
        assert!(caller.send(byte).is_empty());
        assert_eq!(caller.0.gather_ms(), 1_500);
    }
    assert_eq!(caller.send("\n"), ["USER ann 0 * :ann", "NICK ann", "PING door"]);
}

#[test]
fn what_comes_while_a_name_is_tried_is_said_when_it_was_free() {
    let mut caller = Caller::new();
    let mut input: &[u8] = b"ann\nhello\n";
    caller.0.feed(&mut input);
    assert_eq!(shown(caller.0.next_ask().unwrap()), "USER ann 0 * :ann");
    assert_eq!(shown(caller.0.next_ask().unwrap()), "NICK ann");
    let named = caller.0.next_ask().unwrap();
    caller.0.again(named);
    caller.0.registered("ann");
    assert_eq!(shown(caller.0.next_ask().unwrap()).get(..6), Some("* /hel"));
    assert_eq!(shown(caller.0.next_ask().unwrap()), "JOIN #lobby");
    let joined = caller.0.next_ask().unwrap();
    caller.0.again(joined);
    caller.0.entered("#lobby", false);
    assert_eq!(caller.asks(), ["CHATHISTORY LATEST #lobby * 20", "PING door", "PING door"]);
    caller.0.feed(&mut input);
    assert_eq!(caller.asks(), ["PRIVMSG #lobby :hello"]);
}

#[test]
fn what_comes_while_a_name_is_tried_is_the_next_name_when_it_was_taken() {
    let mut caller = Caller::new();
    caller.send("ann\n");
    assert_eq!(caller.send("ann: bob\n"), ["USER bob 0 * :bob", "NICK bob", "PING door"]);
}

#[test]
fn a_client_whose_name_was_refused_does_not_repeat_it_in_every_line() {
    for refused in ["ann", "Ann Lee", "root"] {
        let mut caller = Caller::new();
        caller.send(&format!("{refused}\n"));
        assert_eq!(caller.send(&format!("{refused}: bob\n")), ["USER bob 0 * :bob", "NICK bob", "PING door"]);
        caller.come_in("bob");
        assert_eq!(caller.send(&format!("{refused}: hello\n")), ["PRIVMSG #lobby :hello"]);
        assert_eq!(caller.send("bob: hello\n"), ["PRIVMSG #lobby :hello"]);
    }
}

#[test]
fn who_is_nowhere_and_types_a_command_is_not_told_that_nobody_reads_it() {
    let mut caller = Caller::named("ann");
    caller.0.left("#lobby");
    caller.asks();
    for typed in ["/history\n", "/who\n", "/me waves\n", "/topic\n"] {
        assert_eq!(caller.send(typed), ["! You are in no room. /join #lobby takes you to one."]);
    }
}

#[test]
fn bad_names_are_answered() {
    let mut caller = Caller::new();
    for (typed, answer) in [
        ("\n", "! Send the name"),
        ("root\n", "! That name belongs to the server"),
        ("../../x\n", "! That cannot be a name"),
        ("two words\n", "! That cannot be a name"),
        ("\u{7}\u{1b}[31m\n", "! Send the name"),
    ] {
        let asks = caller.send(typed);
        assert!(asks.len() == 1 && asks[0].starts_with(answer), "{typed:?} {asks:?}");
    }
    let asks = caller.send(&format!("{}\n", "x".repeat(200)));
    assert!(asks[0].starts_with("! That name is too long: its first 32 letters"), "{asks:?}");
    let asks = caller.send(&format!("{}\n", "安".repeat(11)));
    assert!(asks[0].starts_with("! That name is too long: its first 10 letters"), "{asks:?}");
    assert_eq!(caller.send("ann\n"), ["USER ann 0 * :ann", "NICK ann", "PING door"]);
    let tries: Vec<String> = (0..30).flat_map(|_| caller.send("..\n")).collect();
    assert!(tries.contains(&"close too many names tried".to_owned()));
}

#[test]
fn the_own_name_in_front_is_dropped() {
    let mut caller = Caller::named("ann");
    assert_eq!(
        caller.send("ann: hi\nANN:hi\nanne: hi\nbob: hi\n"),
        ["PRIVMSG #lobby :hi", "PRIVMSG #lobby :hi", "PRIVMSG #lobby :anne: hi", "PRIVMSG #lobby :bob: hi",]
    );
    caller.0.renamed("annabel");
    assert_eq!(caller.send("ann: hi\nannabel: hi\n"), ["PRIVMSG #lobby :hi", "PRIVMSG #lobby :hi"]);
}

#[test]
fn commands_become_requests() {
    let mut caller = Caller::named("ann");
    for (typed, asked) in [
        ("/me waves", "PRIVMSG #lobby :\u{1}ACTION waves\u{1}"),
        ("/msg bob psst", "PRIVMSG bob :psst"),
        ("/nick anne", "NICK anne"),
        ("/join tea", "JOIN #tea"),
        ("/join #tea key", "JOIN #tea key"),
        ("/part", "PART #lobby"),
        ("/part #tea too late", "PART #tea :too late"),
        ("/topic", "TOPIC #lobby"),
        ("/topic all about tea", "TOPIC #lobby :all about tea"),
        ("/history 5", "@chinwag.internal/numbers CHATHISTORY LATEST #lobby * 5"),
        ("/history", "@chinwag.internal/numbers CHATHISTORY LATEST #lobby * 20"),
        ("/re 42 yes, please", "RE #lobby 42 :yes, please"),
        ("/quote 42", "QUOTE #lobby 42"),
        ("/react 42 +1", "REACT #lobby 42 :+1"),
        ("/unreact 42 +1", "UNREACT #lobby 42 :+1"),
        ("/edit 42 better", "EDIT #lobby 42 :better"),
        ("/del #tea 42 wrong room", "REDACT #tea 42 :wrong room"),
        ("/pin 42", "PIN #lobby 42"),
        ("/unpin 42", "UNPIN #lobby 42"),
        ("/pins #tea", "PINS #tea"),
        ("/was 42", "WAS #lobby 42"),
        ("/numbers on", "NUMBERS on"),
        ("/re 42", "! It is used like this: /re 42 text"),
        ("/away", "AWAY"),
        ("/away tea time", "AWAY :tea time"),
        ("/who", "NAMES #lobby"),
        ("/who bob", "WHOIS bob"),
        ("/rooms", "LIST"),
        ("/kick bob no", "KICK #lobby bob :no"),
        ("/invite bob", "INVITE bob #lobby"),
        ("/op bob", "MODE #lobby +o bob"),
        ("/mode +m", "MODE #lobby +m"),
        ("/mode", "MODE #lobby"),
        ("/echo off", "echo false"),
        ("/QUIT tired", "QUIT :tired"),
        ("exit", "QUIT"),
        ("//who", "PRIVMSG #lobby :/who"),
        ("/", "! There is no such command. /help lists them; // says a text that begins with /."),
        ("/msg bob", "! It is used like this: /msg name text"),
        (
            "/nick ..",
            "! That cannot be a name. Send one of letters, digits, - and _, without spaces, beginning with a letter.",
        ),
    ] {
        let asks = caller.send(&format!("{typed}\n"));
        assert_eq!(asks.first().map(String::as_str), Some(asked), "{typed}");
    }
    assert!(caller.send("/hlep\n")[0].contains("Did you mean /help?"));
    assert!(caller.send("/help\n")[0].contains("/history"));
    assert_eq!(caller.send("\n  \n"), Vec::<String>::new());
}

#[test]
fn private_lines_are_explained_once() {
    let mut caller = Caller::named("ann");
    assert_eq!(caller.send("/msg bob psst\n").len(), 2);
    assert_eq!(caller.send("/msg bob psst\n").len(), 1);
}

#[test]
fn the_room_follows_the_caller() {
    let mut caller = Caller::named("ann");
    caller.0.entered("#tea", false);
    assert_eq!(caller.asks()[0], "* You are talking in #tea now.");
    assert_eq!(caller.send("hi\n"), ["PRIVMSG #tea :hi"]);
    assert_eq!(caller.send("/join #lobby\nhi\n"), ["* You are talking in #lobby now.", "PRIVMSG #lobby :hi"]);
    caller.0.left("#LOBBY");
    assert_eq!(caller.asks(), ["* You are talking in #tea now."]);
    caller.0.left("#tea");
    assert_eq!(caller.asks(), ["* You are in no room now. /join #lobby takes you to one."]);
    assert!(caller.send("hi\n")[0].starts_with("! You are in no room"));
}

#[test]
fn a_line_behind_a_join_is_said_in_the_new_room() {
    let mut caller = Caller::named("ann");
    caller.0.feed(&mut &b"/join tea\n"[..]);
    assert_eq!(shown(caller.0.next_ask().unwrap()), "JOIN #tea");
    let barrier = caller.0.next_ask().unwrap();
    caller.0.again(barrier);
    caller.0.entered("#tea", false);
    let asks = caller.send("hi\n");
    assert_eq!(asks.last().map(String::as_str), Some("PRIVMSG #tea :hi"));
}

#[test]
fn long_text_goes_in_parts_and_absurd_text_not_at_all() {
    let mut caller = Caller::named("ann");
    let text = "word ".repeat(300);
    let asks = caller.send(&format!("{text}\n"));
    assert!(
        asks.len() > 3 && asks.iter().all(|ask| ask.len() <= 512 && ask.starts_with("PRIVMSG #lobby :word"))
    );
    let absurd = vec![b'x'; 10 * 1024 * 1024];
    let asks: Vec<String> = absurd.chunks(16 * 1024).flat_map(|chunk| caller.send_bytes(chunk)).collect();
    assert_eq!(asks.len(), 1);
    assert!(asks[0].starts_with("! That is longer than 8 KiB"));
    assert_eq!(caller.send("\nshort\n"), ["PRIVMSG #lobby :short"]);
}

#[test]
fn bytes_that_are_no_text_are_read_as_well_as_can_be() {
    let mut caller = Caller::named("ann");
    assert_eq!(caller.send_bytes(b"caf\xe9\n"), ["PRIVMSG #lobby :caf\u{e9}"]);
    assert_eq!(caller.send_bytes(b"\xff\xfd\x01a\0b\x1b[2Jc\n"), ["PRIVMSG #lobby :abc"]);
}

#[test]
fn the_last_line_counts_when_the_caller_closes() {
    let mut caller = Caller::named("ann");
    assert!(caller.send("bye").is_empty());
    caller.0.closed_by_peer();
    assert_eq!(caller.asks(), ["PRIVMSG #lobby :bye"]);
}

#[test]
fn asking_who_is_in_a_room_that_is_not_there_is_not_met_with_silence() {
    let mut caller = Caller::named("ann");
    assert_eq!(caller.send("/who #nope\n"), ["* In #nope, as far as those outside may know:", "NAMES #nope"]);
}
