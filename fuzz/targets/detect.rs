//! Doors: an early decision is never taken back when more bytes come, and silence always decides.
#![no_main]

use chinwag_wire::detect::{Detect, detect};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut decided = None;
    for end in 0..=bytes.len().min(64) {
        let kind = detect(&bytes[..end], false);
        assert_ne!(detect(&bytes[..end], true), Detect::More);
        if let Some(before) = decided {
            assert_eq!(kind, before);
        } else if kind != Detect::More {
            decided = Some(kind);
        }
    }
});
