//! Modes: whatever is asked, the server answers within the limits, and a restart finds the same modes.
#![no_main]

mod talk;

use libfuzzer_sys::fuzz_target;
use talk::Talk;

fuzz_target!(|asked: &str| {
    let mut talk = Talk::new("multi-prefix batch labeled-response message-tags");
    let ada = talk.ada;
    talk.says(ada, b"JOIN #r\r\n");
    for line in asked.lines().take(16) {
        talk.says(ada, format!("MODE #r {line}\r\n").as_bytes());
        talk.says(ada, format!("MODE ada {line}\r\n").as_bytes());
    }
    talk.says(ada, b"MODE #r\r\nMODE #r b\r\nMODE #r e\r\nMODE #r I\r\nNAMES #r\r\nMODE ada\r\n");
    talk.ends_well();
});
