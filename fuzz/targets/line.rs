//! Lines: whatever comes and however it is cut, the same lines come out and memory is bounded.
#![no_main]

use chinwag_wire::limits::{BODY_BYTES_MAX, ENDLESS_BYTES, TAGS_CLIENT_BYTES_MAX};
use chinwag_wire::line::{Decoded, LineDecoder, Part};
use libfuzzer_sys::fuzz_target;

/// The lines of a stream that is cut into pieces of `size` bytes; a line that is too long is its part.
fn read(mut decoder: LineDecoder, bytes: &[u8], size: usize) -> Vec<Result<Vec<u8>, Part>> {
    let mut all = Vec::new();
    for mut piece in bytes.chunks(size) {
        while let Some(decoded) = decoder.next(&mut piece) {
            all.push(match decoded {
                Decoded::Line(line) => Ok(line.to_vec()),
                Decoded::TooLong(part) => Err(part),
            });
        }
        assert!(piece.is_empty());
        assert!(decoder.kept() <= TAGS_CLIENT_BYTES_MAX + BODY_BYTES_MAX + 1);
    }
    all.extend(decoder.finish().map(Ok));
    all
}

fuzz_target!(|input: (u8, &[u8])| {
    let (size, bytes) = input;
    let size = usize::from(size).max(1);
    if bytes.len() >= ENDLESS_BYTES as usize {
        // What is said of such lines depends on how they are cut.
        return;
    }
    for decoder in [LineDecoder::irc, || LineDecoder::plain(16)] {
        let whole = read(decoder(), bytes, usize::MAX);
        assert_eq!(whole, read(decoder(), bytes, size));
        assert!(whole.iter().flatten().all(|line| !line.contains(&b'\n') && !line.ends_with(b"\r")));
    }
});
