//! Days and times of a conversation, in the person's time zone.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

fn zoned(ms: u64, zone: &TimeZone) -> Zoned {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
}

/// `14:02`
pub fn time(ms: u64, zone: &TimeZone) -> String {
    let at = zoned(ms, zone);
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// The day.
pub fn day(ms: u64, zone: &TimeZone) -> Date {
    zoned(ms, zone).date()
}

/// `Saturday, 21 November 2026`
pub fn spelled(day: Date) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let weekday = match day.weekday() {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    };
    let month = MONTHS[usize::from(day.month().unsigned_abs()) - 1];
    format!("{weekday}, {} {month} {}", day.day(), day.year())
}
