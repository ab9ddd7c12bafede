//! Looking for bytes eight at a time. `std` keeps its own search for bytes to itself.

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;

/// A word whose lowest set top bit marks the first zero byte of `word` (little-endian); zero for none.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & TOPS
}

/// The place of the first byte equal to `needle`.
#[inline]
pub(crate) fn find(bytes: &[u8], needle: u8) -> Option<usize> {
    let pattern = ONES * u64::from(needle);
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let hit = zeros(u64::from_le_bytes(*word) ^ pattern);
        if hit != 0 {
            return Some(at * 8 + (hit.trailing_zeros() / 8) as usize);
        }
    }
    let start = words.len() * 8;
    rest.iter().position(|byte| *byte == needle).map(|at| start + at)
}

/// The first byte that may not be inside a line: NUL, CR or LF.
#[inline]
pub(crate) fn forbidden(bytes: &[u8]) -> Option<u8> {
    let is_bad = |byte: u8| matches!(byte, 0 | b'\r' | b'\n');
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let value = u64::from_le_bytes(*word);
        let hit = zeros(value)
            | zeros(value ^ (ONES * u64::from(b'\r')))
            | zeros(value ^ (ONES * u64::from(b'\n')));
        if hit != 0 {
            return word.iter().copied().find(|byte| is_bad(*byte));
        }
    }
    rest.iter().copied().find(|byte| is_bad(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn find_is_position(bytes in proptest::collection::vec(0u8..4, 0..60), needle in 0u8..5) {
            prop_assert_eq!(find(&bytes, needle), bytes.iter().position(|b| *b == needle));
        }

        #[test]
        fn find_is_position_in_any_bytes(bytes: Vec<u8>, needle: u8) {
            prop_assert_eq!(find(&bytes, needle), bytes.iter().position(|b| *b == needle));
        }

        #[test]
        fn forbidden_is_the_first(bytes in proptest::collection::vec(0u8..16, 0..60)) {
            let expected = bytes.iter().copied().find(|b| [0, 10, 13].contains(b));
            prop_assert_eq!(forbidden(&bytes), expected);
        }
    }
}
