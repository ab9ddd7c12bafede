//! Message ids: a keyed permutation of a message's position, so that none has to be stored.
//!
//! The permutation keeps people from reading off an id how much is said elsewhere; it is not a secret worth
//! an attack, and nothing is allowed because somebody knows an id.

use std::fmt;
use std::str::FromStr;

/// A msgid: one letter for its kind and 13 characters of base 32, 14 bytes of ASCII.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MsgId([u8; MsgId::BYTES]);

/// The key of the permutation: the same on every node, made once with the data.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct MsgIdKey(pub [u64; 2]);

/// What an id says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// A stored message: its position in the log.
    Stored(u64),
    /// A passing message: its number. There is nothing to look up.
    Passing(u64),
}

/// A text that is not a msgid of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a msgid of this server")]
pub struct NotAMsgId;

const STORED: u8 = b'm';
const PASSING: u8 = b'p';
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const ROUNDS: u64 = 6;

/// Values of the digits by their byte; 255 for bytes that are none.
const VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut at = 0;
    while at < 32 {
        values[DIGITS[at] as usize] = at as u8;
        at += 1;
    }
    values
};

impl MsgId {
    /// Bytes of an id.
    pub const BYTES: usize = 14;

    /// Positions below this can be told from made-up ids. No log gets there: a million messages a second take
    /// nine years.
    pub const POSITION_MAX: u64 = 1 << 48;

    /// The id of a stored message at this position of the log (below [`MsgId::POSITION_MAX`]).
    pub fn stored(key: &MsgIdKey, position: u64) -> MsgId {
        debug_assert!(position < Self::POSITION_MAX, "a position that the id could not be opened to");
        Self::seal(key, STORED, position)
    }

    /// The id of a passing message: any number that the server never gives twice under this key.
    pub fn passing(key: &MsgIdKey, n: u64) -> MsgId {
        Self::seal(key, PASSING, n)
    }

    /// What the id says under this key, if it can be one of this server's.
    pub fn open(&self, key: &MsgIdKey) -> Option<Opened> {
        let digits = &self.0[1..];
        let sealed = digits.iter().fold(0u64, |sum, digit| sum << 5 | u64::from(VALUES[usize::from(*digit)]));
        let value = backward(key, u64::from(self.0[0]), sealed);
        match self.0[0] {
            STORED => (value < Self::POSITION_MAX).then_some(Opened::Stored(value)),
            _ => Some(Opened::Passing(value)),
        }
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("ids are made of ASCII letters and digits only")
    }

    /// The same as bytes of ASCII.
    pub fn as_bytes(&self) -> &[u8; MsgId::BYTES] {
        &self.0
    }

    fn seal(key: &MsgIdKey, kind: u8, value: u64) -> MsgId {
        let mut sealed = forward(key, u64::from(kind), value);
        let mut text = [kind; Self::BYTES];
        for digit in text[1..].iter_mut().rev() {
            *digit = DIGITS[(sealed & 31) as usize];
            sealed >>= 5;
        }
        MsgId(text)
    }
}

/// A Feistel network over two halves of 32 bits.
fn forward(key: &MsgIdKey, kind: u64, value: u64) -> u64 {
    let (mut left, mut right) = ((value >> 32) as u32, value as u32);
    for round in 0..ROUNDS {
        (left, right) = (right, left ^ mix(key, kind, round, right));
    }
    u64::from(left) << 32 | u64::from(right)
}

fn backward(key: &MsgIdKey, kind: u64, value: u64) -> u64 {
    let (mut left, mut right) = ((value >> 32) as u32, value as u32);
    for round in (0..ROUNDS).rev() {
        (left, right) = (right ^ mix(key, kind, round, left), left);
    }
    u64::from(left) << 32 | u64::from(right)
}

/// The round function: a product of 64 by 64 bits folded over, in which both halves of the key take part.
#[inline]
fn mix(key: &MsgIdKey, kind: u64, round: u64, half: u32) -> u32 {
    let one = key.0[0] ^ u64::from(half) ^ (kind << 56 | round << 32);
    let other = key.0[1] ^ (u64::from(half).wrapping_add(round + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let product = u128::from(one | 1 << 63) * u128::from(other | 1);
    let folded = (product as u64) ^ ((product >> 64) as u64);
    (folded ^ folded >> 32) as u32
}

impl FromStr for MsgId {
    type Err = NotAMsgId;

    fn from_str(text: &str) -> Result<MsgId, NotAMsgId> {
        let bytes: [u8; Self::BYTES] = text.as_bytes().try_into().map_err(|_| NotAMsgId)?;
        // 13 digits hold 65 bits: the first of them has 4.
        let known = matches!(bytes[0], STORED | PASSING)
            && VALUES[usize::from(bytes[1])] < 16
            && bytes[2..].iter().all(|digit| VALUES[usize::from(*digit)] < 32);
        if known { Ok(MsgId(bytes)) } else { Err(NotAMsgId) }
    }
}

impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MsgIdKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MsgIdKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: MsgIdKey = MsgIdKey([0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210]);

    proptest! {
        #[test]
        fn opens_to_what_it_was_made_of(one: u64, two: u64, position in 0..MsgId::POSITION_MAX, n: u64) {
            let key = MsgIdKey([one, two]);
            let read = |id: MsgId| id.to_string().parse::<MsgId>().ok().and_then(|id| id.open(&key));
            prop_assert_eq!(read(MsgId::stored(&key, position)), Some(Opened::Stored(position)));
            prop_assert_eq!(read(MsgId::passing(&key, n)), Some(Opened::Passing(n)));
        }

        #[test]
        fn any_text_that_parses_is_written_the_same(text in "[mp][a-p][a-z2-7]{12}") {
            let id: MsgId = text.parse()?;
            prop_assert_eq!(id.as_str(), text);
        }

        #[test]
        fn what_is_opened_is_sealed_to_the_same(text in "p[a-p][a-z2-7]{12}") {
            let id: MsgId = text.parse()?;
            let Some(Opened::Passing(n)) = id.open(&KEY) else { panic!("passing ids always open") };
            prop_assert_eq!(MsgId::passing(&KEY, n), id);
        }
    }

    #[test]
    fn unknown_texts_are_none() {
        for text in [
            "",
            "m",
            "maaaaaaaaaaaaaa",
            "xaaaaaaaaaaaaa",
            "mqaaaaaaaaaaaa",
            "maaaaaaaaaaaa1",
            "mAAAAAAAAAAAAA",
        ] {
            assert_eq!(text.parse::<MsgId>(), Err(NotAMsgId), "{text}");
        }
    }

    #[test]
    fn made_up_ids_of_stored_messages_hardly_ever_open() {
        let mut text = *b"maaaaaaaaaaaaa";
        let mut opened = 0;
        for n in 0..4096usize {
            text[13] = DIGITS[n & 31];
            text[12] = DIGITS[n >> 5 & 31];
            text[5] = DIGITS[n >> 10 & 31];
            let id: MsgId = str::from_utf8(&text).unwrap().parse().unwrap();
            opened += usize::from(id.open(&KEY).is_some());
        }
        assert!(opened <= 3, "{opened} of 4096, expected one in 65536");
    }

    #[test]
    fn neighbours_and_kinds_and_keys_differ() {
        let ids: std::collections::HashSet<_> = (0..10_000).map(|n| MsgId::stored(&KEY, n)).collect();
        assert_eq!(ids.len(), 10_000);
        let other = MsgIdKey([KEY.0[0] ^ 1, KEY.0[1]]);
        assert_ne!(MsgId::stored(&KEY, 7), MsgId::stored(&other, 7));
        assert_ne!(MsgId::stored(&KEY, 7).as_str()[1..], MsgId::passing(&KEY, 7).as_str()[1..]);
    }
}
