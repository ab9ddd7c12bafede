//! Tags: any text can be read; what is escaped reads back the same; what is copied has only client-only tags.
#![no_main]

use chinwag_wire::tags::{Tags, escape, unescape};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|raw: &str| {
    let tags = Tags::new(raw);
    for (key, value) in tags.iter() {
        assert!(!key.is_empty());
        assert!(tags.get(key).is_some());
        let mut escaped = Vec::new();
        escape(&value, &mut escaped);
        let escaped = String::from_utf8(escaped).expect("escaped text is text");
        assert!(!escaped.contains([';', ' ', '\r', '\n']));
        assert_eq!(unescape(&escaped), value);
    }
    let mut copied = String::new();
    assert_eq!(tags.copy_client_only(&mut copied), !copied.is_empty());
    let again = Tags::new(&copied);
    assert!(again.raw_tags().eq(tags.client_only()));
    assert!(again.raw_tags().eq(again.client_only()));
});
