//! Tests that a seed decides: which seeds, and what to say when one fails.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// SplitMix64: small and deterministic.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that always fall the same way for a seed.
    pub fn new(seed: u64) -> Self {
        Dice(seed ^ 0x5851_f42d_4c95_7f2d)
    }

    /// Any number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of a range.
    pub fn among(&mut self, range: Range<u64>) -> u64 {
        range.start + self.roll() % (range.end - range.start)
    }

    /// One of these.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let count = u64::try_from(items.len()).expect("a slice fits 64 bits");
        &items[usize::try_from(self.roll() % count).expect("below a length")]
    }

    /// True in so many of a thousand cases.
    pub fn hits(&mut self, thousandths: u64) -> bool {
        self.roll() % 1_000 < thousandths
    }
}

/// The seeds to run: the one of `CHINWAG_SEED`, or as many as `CHINWAG_SEEDS` says, or `usual` many.
pub fn seeds(usual: u64) -> Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match (number("CHINWAG_SEED"), number("CHINWAG_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(usual),
    }
}

/// Runs a test for each seed; the first failing one is named with the command that replays it.
///
/// # Panics
/// When a seed fails.
pub fn for_each_seed(test: &str, usual: u64, mut run: impl FnMut(u64) -> Result<(), String>) {
    for seed in seeds(usual) {
        // A panic inside says what is wrong, but not for which seed.
        let outcome = catch_unwind(AssertUnwindSafe(|| run(seed)));
        let what = match outcome {
            Ok(Ok(())) => continue,
            Ok(Err(what)) => what,
            Err(_) => "it panicked, see above".to_owned(),
        };
        panic!("seed {seed} fails: {what}\nreplay: CHINWAG_SEED={seed} cargo test -p chinwag-testkit {test}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dice_fall_the_same_way_for_a_seed() {
        let (mut one, mut other) = (Dice::new(7), Dice::new(7));
        assert!((0..100).all(|_| one.roll() == other.roll()));
        assert!((0..100).all(|_| (3..6).contains(&one.among(3..6))));
    }

    #[test]
    #[should_panic(expected = "CHINWAG_SEED=0")]
    fn a_failing_seed_is_named() {
        for_each_seed("x", 1, |_| Err("no".to_owned()));
    }
}
