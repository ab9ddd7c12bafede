//! Sessions: two people send whatever they like by two doors, cut wherever it falls.
#![no_main]

mod talk;

use chinwag_core::session::Door;
use libfuzzer_sys::fuzz_target;
use talk::Talk;

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let mut talk = Talk::new("batch echo-message labeled-response message-tags server-time standard-replies");
    let (ada, bob) = (talk.ada, talk.world.open(0, Door::Plain));
    talk.says(ada, b"JOIN #lobby\r\n");
    for (turn, piece) in bytes.chunks(usize::from(size).max(16)).enumerate().take(256) {
        if turn % 2 == 0 {
            talk.says(ada, piece);
        } else {
            talk.world.send(bob, piece);
            talk.world.pass(30);
            let sent = talk.world.take(bob);
            assert!(std::str::from_utf8(&sent).is_ok(), "a server sends text");
            assert!(!sent.contains(&0x1b), "nobody's terminal is told what to do");
        }
    }
    talk.ends_well();
});
