//! Messages: what can be read can be written, and is then read as the same.
#![no_main]

use chinwag_wire::limits::LINE_BYTES_MAX;
use chinwag_wire::message::Message;
use chinwag_wire::verbs::Verb;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &[u8]| {
    let Ok(message) = Message::parse(line) else { return };
    assert!(!message.command.is_empty());
    let _ = Verb::lookup(message.command);
    // A source of no characters can be read, and is never written.
    if line.len() > LINE_BYTES_MAX - 8 || message.source == Some("") {
        return;
    }
    let mut out = Vec::new();
    message.write(&mut out);
    let written = out.strip_suffix(b"\r\n").expect("a line that was written has its end");
    assert_eq!(Message::parse(written).as_ref(), Ok(&message));
});
