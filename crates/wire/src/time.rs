//! Times as IRC writes them: `2026-11-21T02:10:00.000Z` (server-time), from and to milliseconds since 1970.
//!
//! No clock is read here.

/// Bytes of a written time.
pub const BYTES: usize = 24;

/// Milliseconds of the first moment that no longer has a year of four digits.
const END_MS: u64 = 253_402_300_800_000;

/// Appends a time. Moments after the year 9999 are written as its last one.
pub fn format_millis(ms: u64, out: &mut Vec<u8>) {
    Stamp::new().write(ms, out);
}

/// Writes times and keeps the last second rendered: within the same second only milliseconds are written.
#[derive(Clone, Debug)]
pub struct Stamp {
    second: u64,
    text: [u8; BYTES],
}

impl Default for Stamp {
    fn default() -> Self {
        Stamp::new()
    }
}

impl Stamp {
    /// A stamp that has rendered nothing but the beginning of 1970.
    pub const fn new() -> Stamp {
        Stamp { second: 0, text: *b"1970-01-01T00:00:00.000Z" }
    }

    /// Appends a time.
    #[inline]
    pub fn write(&mut self, ms: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.render(ms));
    }

    /// The time as 24 bytes of ASCII, valid until the next call.
    #[inline]
    pub fn render(&mut self, ms: u64) -> &[u8; BYTES] {
        let ms = ms.min(END_MS - 1);
        let second = ms / 1000;
        if second != self.second {
            self.turn(second);
        }
        digits(&mut self.text[20..23], (ms % 1000) as u32);
        &self.text
    }

    #[cold]
    fn turn(&mut self, second: u64) {
        let (year, month, day) = civil((second / 86_400) as i64);
        let of_day = (second % 86_400) as u32;
        digits(&mut self.text[0..4], year as u32);
        digits(&mut self.text[5..7], month);
        digits(&mut self.text[8..10], day);
        digits(&mut self.text[11..13], of_day / 3600);
        digits(&mut self.text[14..16], of_day / 60 % 60);
        digits(&mut self.text[17..19], of_day % 60);
        self.second = second;
    }
}

/// Writes a number into all of the given bytes, with zeros in front.
#[inline]
fn digits(text: &mut [u8], mut value: u32) {
    for byte in text.iter_mut().rev() {
        *byte = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar. Years are counted from March, so that the leap day
/// is the last of its year, in eras of 400 years, after which the calendar repeats.
fn days(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let from_march = (i64::from(month) + 9) % 12;
    let of_year = (153 * from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970-01-01: the reverse of [`days`].
fn civil(day: i64) -> (i64, u32, u32) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let date = (of_year - (153 * from_march + 2) / 5 + 1) as u32;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 } as u32;
    (year + era * 400 + i64::from(month <= 2), month, date)
}

/// Reads a time of RFC 3339 (`2026-11-21T02:10:00.000Z`; any number of digits behind the point, none at all, or
/// an offset in place of `Z`) as milliseconds since 1970. Nothing for anything else and for times before 1970.
pub fn parse_rfc3339_millis(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let (head, rest) = (bytes.get(..19)?, &bytes[19..]);
    let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| head[*at] != *mark) || !matches!(head[10], b'T' | b't') {
        return None;
    }
    let (year, month, day) = (number(&head[0..4])?, number(&head[5..7])?, number(&head[8..10])?);
    let (hour, minute, second) = (number(&head[11..13])?, number(&head[14..16])?, number(&head[17..19])?);
    let in_days = days(i64::from(year), month.clamp(1, 12), day);
    let exists = (1..=12).contains(&month) && civil(in_days) == (i64::from(year), month, day);
    // A leap second is read as the second after it.
    if !exists || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (millis, rest) = fraction(rest)?;
    let seconds = in_days * 86_400 + i64::from(hour * 3600 + minute * 60 + second) - offset_seconds(rest)?;
    u64::try_from(seconds * 1000 + millis).ok()
}

/// Milliseconds of `.123456`, and what is behind. Nothing for a point without digits.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let Some(behind) = bytes.strip_prefix(b".") else { return Some((0, bytes)) };
    let len = behind.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = |at: usize| behind[..len].get(at).map_or(0, |byte| i64::from(byte - b'0'));
    (len > 0).then(|| (value(0) * 100 + value(1) * 10 + value(2), &behind[len..]))
}

/// Seconds of `Z`, `+01:00` or `-01:00`, and nothing behind them.
fn offset_seconds(bytes: &[u8]) -> Option<i64> {
    match bytes {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), hour @ .., b':', m1, m2] if hour.len() == 2 => {
            let (hours, minutes) = (number(hour)?, number(&[*m1, *m2])?);
            let seconds = i64::from(hours * 3600 + minutes * 60);
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// A number of ASCII digits only.
fn number(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(ms: u64) -> String {
        let mut out = Vec::new();
        format_millis(ms, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn moments() {
        let check = |ms: u64, text: &str| {
            assert_eq!(written(ms), text);
            assert_eq!(parse_rfc3339_millis(text), Some(ms));
        };
        check(0, "1970-01-01T00:00:00.000Z");
        check(1, "1970-01-01T00:00:00.001Z");
        check(951_782_400_000, "2000-02-29T00:00:00.000Z");
        check(951_868_799_999, "2000-02-29T23:59:59.999Z");
        check(951_868_800_000, "2000-03-01T00:00:00.000Z");
        check(1_318_919_445_123, "2011-10-18T06:30:45.123Z");
        check(1_795_227_000_000, "2026-11-21T02:10:00.000Z");
        check(4_107_542_400_000, "2100-03-01T00:00:00.000Z");
        check(END_MS - 1, "9999-12-31T23:59:59.999Z");
        assert_eq!(written(u64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn times_that_can_be_read() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(parse_rfc3339_millis(text).map(written).as_deref(), expected, "{text:?}");
        };
        check("2026-11-21T02:10:00Z", Some("2026-11-21T02:10:00.000Z"));
        check("2026-11-21T02:10:00.5Z", Some("2026-11-21T02:10:00.500Z"));
        check("2026-11-21t02:10:00.123999z", Some("2026-11-21T02:10:00.123Z"));
        check("2026-11-21T02:10:00.123+01:30", Some("2026-11-21T00:40:00.123Z"));
        check("2026-11-21T02:10:00-02:00", Some("2026-11-21T04:10:00.000Z"));
        check("2016-12-31T23:59:60Z", Some("2017-01-01T00:00:00.000Z"));
        for wrong in [
            "",
            "2026",
            "2026-11-21",
            "2026-11-21T02:10:00",
            "2026-11-21 02:10:00Z",
            "2026-11-21T02:10Z",
            "2026-02-29T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-32T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z",
            "2026-11-21T02:10:00.Z",
            "2026-11-21T02:10:00ZZ",
            "2026-11-21T02:10:00+0100",
            "2026-11-21T02:10:00+24:00",
            "2026-11-21T02:10:00+",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "+026-11-21T02:10:00Z",
            "2026-11-21T02:10:0öZ",
            "２０２６-11-21T02:10:00Z",
            "2026-11-21T02:10:00+ö:00",
        ] {
            check(wrong, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(ms in 0..END_MS) {
            prop_assert_eq!(parse_rfc3339_millis(&written(ms)), Some(ms));
        }

        #[test]
        fn a_stamp_remembers_nothing_wrong(moments in proptest::collection::vec((0u64..3, 0u64..2000), 1..20)) {
            let mut stamp = Stamp::new();
            for (day, ms) in moments {
                let ms = day * 86_400_000 + ms;
                prop_assert_eq!(str::from_utf8(stamp.render(ms)).unwrap(), written(ms));
            }
        }

        #[test]
        fn reading_never_panics(text: String) {
            let _ = parse_rfc3339_millis(&text);
        }

        #[test]
        fn days_count_up(day in 0i64..4_000_000) {
            let (year, month, date) = civil(day);
            prop_assert_eq!(days(year, month, date), day);
            let (y, m, d) = civil(day + 1);
            prop_assert!((y, m, d) == (year, month, date + 1) || d == 1 && date >= 28);
        }
    }
}
