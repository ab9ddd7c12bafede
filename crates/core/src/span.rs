//! Spans of time as people write them: `90s`, `2h`, `1d12h`, `30m`.

use std::fmt;

use crate::ids::Millis;

/// Units, the largest first, in milliseconds.
const UNITS: [(char, Millis); 5] =
    [('w', 604_800_000), ('d', 86_400_000), ('h', 3_600_000), ('m', 60_000), ('s', 1_000)];

/// A span longer than this is for ever.
const LONGEST_MS: Millis = 100 * 365 * 86_400_000;

/// A span of time, in milliseconds. Shown as it is written: `1d12h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Millis);

impl Span {
    /// What somebody wrote; none when it is no span, empty, zero, or longer than a hundred years.
    pub fn parse(text: &str) -> Option<Span> {
        let (mut total, mut number) = (0_u64, None::<u64>);
        for character in text.chars() {
            if let Some(digit) = character.to_digit(10) {
                number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit.into())?);
                continue;
            }
            let (_, unit) = UNITS.into_iter().find(|(name, _)| *name == character.to_ascii_lowercase())?;
            total = total.checked_add(number.take()?.checked_mul(unit)?)?;
        }
        (number.is_none() && (1..=LONGEST_MS).contains(&total)).then_some(Span(total))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0;
        for (name, unit) in UNITS {
            if left >= unit {
                write!(f, "{}{name}", left / unit)?;
                left %= unit;
            }
        }
        if self.0 < 1_000 { f.write_str("0s") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_shown() {
        for (text, ms, shown) in [
            ("90s", 90_000, "1m30s"),
            ("2h", 7_200_000, "2h"),
            ("1d12h", 129_600_000, "1d12h"),
            ("1W", 604_800_000, "1w"),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!((span.0, span.to_string().as_str()), (ms, shown), "{text}");
        }
        for text in ["", "0s", "h", "2", "2x", "-1h", "2h3", "99999999999999999999s", "200000d", "spam"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }
}
