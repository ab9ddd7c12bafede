//! A conversation as rows: lines of a buffer with times, names, days, what is unread, answers, reactions.
//!
//! What lives here: which lines belong together ([`units`]), how each looks ([`rows`]), days and times ([`clock`]).
//! What does not: how far somebody has scrolled, and where on the screen the rows go.

pub mod clock;
pub mod rows;
mod sentences;
pub mod units;

use chinwag_client::LineId;
use jiff::tz::TimeZone;

use crate::theme::Theme;

/// How a conversation is looked at: everything that its rows depend on beside its lines.
#[derive(Debug)]
pub struct Look<'a> {
    /// Colours.
    pub theme: &'a Theme,
    /// Columns of a row.
    pub columns: usize,
    /// The person's time zone.
    pub zone: &'a TimeZone,
    /// Numbers of messages stand where times do.
    pub numbers: bool,
    /// Comings and goings are shown.
    pub presence: bool,
    /// The own nickname.
    pub me: &'a str,
    /// The line where the unread begins.
    pub fresh: Option<LineId>,
    /// What is searched for, and the line where the search is.
    pub search: Option<(&'a str, Option<LineId>)>,
}

impl Look<'_> {
    /// Whether names stand over what was said instead of beside it: where there is no space for both.
    pub fn stacked(&self) -> bool {
        self.columns < 52
    }

    /// Columns for names.
    fn nick_columns(&self) -> usize {
        match self.columns {
            ..70 => 9,
            70..90 => 11,
            _ => 13,
        }
    }

    /// Columns before what was said.
    fn indent(&self) -> usize {
        if self.stacked() { 1 } else { 1 + 5 + 1 + self.nick_columns() + 2 }
    }
}
