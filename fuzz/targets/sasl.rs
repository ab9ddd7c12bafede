//! SASL: whatever is sent instead of an exchange, in its own base64 or not, the server answers and goes on.
#![no_main]

mod talk;

use chinwag_core::session::Door;
use chinwag_wire::base64;
use libfuzzer_sys::fuzz_target;
use talk::Talk;

fuzz_target!(|asked: &str| {
    let mut talk = Talk::new("sasl batch labeled-response");
    let (ada, eve) = (talk.ada, talk.world.open(0, Door::Irc));
    talk.says(eve, b"CAP REQ :sasl\r\nNICK eve\r\nUSER eve 0 * :Eve\r\n");
    for who in [eve, ada] {
        for (at, line) in asked.lines().take(12).enumerate() {
            let mechanism = ["PLAIN", "SCRAM-SHA-256", "EXTERNAL"][at % 3];
            talk.says(who, format!("AUTHENTICATE {mechanism}\r\n").as_bytes());
            let encoded = base64::encode(line.as_bytes());
            for piece in encoded.as_bytes().chunks(400) {
                talk.says(who, &[b"AUTHENTICATE ", piece, b"\r\n"].concat());
            }
            talk.says(who, format!("AUTHENTICATE {line}\r\n").as_bytes());
        }
    }
    talk.says(eve, b"CAP END\r\n");
    talk.ends_well();
});
