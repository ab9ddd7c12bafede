//! CHATHISTORY: whatever is asked, the answer is within the limits and the server goes on.
#![no_main]

mod talk;

use libfuzzer_sys::fuzz_target;
use talk::Talk;

fuzz_target!(|asked: &str| {
    let mut talk = Talk::new("batch labeled-response message-tags server-time draft/chathistory");
    let ada = talk.ada;
    talk.says(ada, b"JOIN #r\r\n");
    for text in ["one", "two", "three", "four"] {
        talk.says(ada, format!("PRIVMSG #r :{text}\r\n").as_bytes());
    }
    for line in asked.lines().take(16) {
        talk.says(ada, format!("CHATHISTORY {line}\r\n").as_bytes());
        talk.says(ada, format!("@label=x CHATHISTORY LATEST #r {line}\r\n").as_bytes());
    }
    talk.ends_well();
});
