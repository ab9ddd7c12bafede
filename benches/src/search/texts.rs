//! Words that are about as unevenly common as those of a language: the word of rank `r` comes once in some `r` times
//! that the first one does. The same at every run.

/// Words there are.
const WORDS: u64 = 50_000;

/// Words of a text, at least and at most.
const LENGTH: (u64, u64) = (4, 20);

/// What somebody looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// A word of the hundred most common ones.
    Common,
    /// A word as it comes.
    Word,
    /// A word that is rarely said.
    Rare,
    /// Two words, one after the other in any order.
    Two,
    /// The most common two words next to each other.
    Phrase,
    /// The beginning of a word.
    Beginning,
    /// Five letters that a word begins with, or is.
    Longer,
    /// A word that somebody said.
    From,
}

/// All of them.
pub const SORTS: [Sort; 8] = [
    Sort::Common,
    Sort::Word,
    Sort::Rare,
    Sort::Two,
    Sort::Phrase,
    Sort::Beginning,
    Sort::Longer,
    Sort::From,
];

impl Sort {
    /// How a person would say it.
    pub fn name(self) -> &'static str {
        match self {
            Sort::Common => "a common word",
            Sort::Word => "a word",
            Sort::Rare => "a rare word",
            Sort::Two => "two words",
            Sort::Phrase => "a phrase",
            Sort::Beginning => "a beginning",
            Sort::Longer => "a longer beginning",
            Sort::From => "a word of somebody",
        }
    }
}

/// Where the words come from.
#[derive(Debug)]
pub struct Texts(u64);

impl Texts {
    /// The same texts for the same seed.
    pub fn new(seed: u64) -> Texts {
        Texts(seed)
    }

    /// A number below `end` (above 0): SplitMix64.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }

    /// A rank, the lower the likelier.
    fn rank(&mut self) -> u64 {
        let share = self.below(1 << 32) as f64 / (1_u64 << 32) as f64;
        ((WORDS as f64).powf(share) as u64).min(WORDS) - 1
    }

    /// Something that somebody says.
    pub fn text(&mut self) -> String {
        let count = LENGTH.0 + self.below(LENGTH.1 - LENGTH.0 + 1);
        let mut text = String::new();
        for at in 0..count {
            if at > 0 {
                text.push(' ');
            }
            let rank = self.rank();
            spell(rank, &mut text);
        }
        text
    }

    /// Something that somebody looks for.
    pub fn question(&mut self, sort: Sort) -> String {
        let mut typed = String::new();
        match sort {
            Sort::Common => spell(self.below(100), &mut typed),
            Sort::Word => spell(self.rank(), &mut typed),
            Sort::Rare => spell(WORDS / 2 + self.below(WORDS / 2), &mut typed),
            Sort::Two => {
                spell(self.rank(), &mut typed);
                typed.push(' ');
                spell(self.rank(), &mut typed);
            }
            Sort::Phrase => {
                typed.push('"');
                spell(self.below(10), &mut typed);
                typed.push(' ');
                spell(self.below(10), &mut typed);
                typed.push('"');
            }
            Sort::Beginning | Sort::Longer => {
                spell(self.rank(), &mut typed);
                typed.truncate(if sort == Sort::Longer { 5 } else { 3 });
                typed.push('*');
            }
            Sort::From => {
                spell(self.rank(), &mut typed);
                typed.push_str(&format!(" from:person{}", self.below(super::PEOPLE)));
            }
        }
        typed
    }
}

/// The word of a rank: syllables, the fewer the more common it is, at least two.
fn spell(rank: u64, out: &mut String) {
    const FIRST: &[u8] = b"bdfghjklmnprstvw";
    const SECOND: &[u8] = b"aeiou";
    let mut rest = rank;
    for at in 0.. {
        if at >= 2 && rest == 0 {
            return;
        }
        let syllable = (rest % 80) as usize;
        rest /= 80;
        out.push(char::from(FIRST[syllable % 16]));
        out.push(char::from(SECOND[syllable / 16]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_differ_and_the_first_are_the_most_common() {
        let mut words: Vec<String> = (0..WORDS)
            .map(|rank| {
                let mut word = String::new();
                spell(rank, &mut word);
                word
            })
            .collect();
        words.sort();
        words.dedup();
        assert_eq!(words.len() as u64, WORDS);
        let mut texts = Texts::new(1);
        let all: Vec<String> = (0..1_000).map(|_| texts.text()).collect();
        let count = |rank: u64| {
            let mut word = String::new();
            spell(rank, &mut word);
            all.iter().flat_map(|text| text.split(' ')).filter(|found| *found == word).count()
        };
        assert!(count(0) > 5 * count(20), "{} and {}", count(0), count(20));
    }
}
