//! The terminal client: whatever a terminal sends is understood alike in any pieces, and whatever a server and a terminal
//! send, the picture has the size of the screen and nothing in it controls the terminal.
#![no_main]

use chinwag_client::{Client, Profile};
use chinwag_tui::input::parser::Parser;
use chinwag_tui::{App, Options, Painter};
use libfuzzer_sys::fuzz_target;

const WELCOME: &str = ":s 001 ann :hello\r\n:s 005 ann NETWORK=net CASEMAPPING=ascii :are\r\n:s 376 ann :end\r\n\
                       :ann!a@h JOIN #lobby\r\n:s 366 ann #lobby :end\r\n";

fuzz_target!(|bytes: &[u8]| {
    let (mut at_once, mut one_by_one) = (Vec::new(), Vec::new());
    let (mut parser, mut other) = (Parser::default(), Parser::default());
    parser.feed(bytes, &mut at_once);
    for byte in bytes.chunks(1) {
        other.feed(byte, &mut one_by_one);
    }
    parser.settle_escape(&mut at_once);
    other.settle_escape(&mut one_by_one);
    assert_eq!(at_once, one_by_one);

    let end = bytes.iter().position(|byte| *byte == 0xff).unwrap_or(bytes.len());
    let (typed, server) = bytes.split_at(end);
    let mut app = App::new(Options::default());
    let (columns, rows) = (20 + (bytes.len() % 100) as u16, 3 + (bytes.len() % 40) as u16);
    app.resize(columns, rows);
    let mut profile = Profile::new("ann", "host");
    profile.rooms = vec!["#lobby".to_owned()];
    let mut client = Client::new(profile, 1);
    client.opened(1_000);
    client.receive(WELCOME.as_bytes(), 1_000);
    client.receive(server, 2_000);
    app.add(client, "host");
    app.pump(2_000);
    app.input(typed, 3_000);
    app.tick(4_000);
    let screen = app.screen(4_000);
    assert_eq!((screen.area().width, screen.area().height), (columns, rows));
    for cell in screen.buffer.content() {
        assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
    }
    Painter::default().paint(screen);
    // What stands beside the screen: each sequence ends, and nothing else controls the terminal.
    let beside = app.outgoing();
    assert!(beside.iter().all(|byte| *byte >= 0x20 || matches!(byte, 0x07 | 0x1b)), "{beside:?}");
});
