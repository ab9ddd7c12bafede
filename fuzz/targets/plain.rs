//! The plain dialect: however the stream is cut, the same clean lines come out.
#![no_main]

use chinwag_wire::plain::{Plain, PlainDecoder, sanitize};
use libfuzzer_sys::fuzz_target;

const MAX: u32 = 64;

fn read(bytes: &[u8], size: usize) -> Vec<Plain> {
    let mut decoder = PlainDecoder::new(MAX);
    let mut all = Vec::new();
    for mut piece in bytes.chunks(size) {
        all.extend(std::iter::from_fn(|| decoder.next(&mut piece)));
        assert!(piece.is_empty());
    }
    all.extend(decoder.flush());
    all
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let whole = read(bytes, usize::MAX);
    assert_eq!(whole, read(bytes, usize::from(size).max(1)));
    for line in whole {
        let Plain::Line(text) = line else { continue };
        assert!(!text.contains(char::is_control));
        let mut again = String::new();
        sanitize(&text, &mut again);
        assert_eq!(again, text);
    }
});
