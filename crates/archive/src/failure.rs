//! Why a transaction failed, as the log's users are told: whether what was to be stored is not, or nobody knows.

use chinwag_log::{EVENT_BYTES_MAX, Refusal};
use rusqlite::ErrorCode;

/// Why a transaction failed. It was rolled back.
pub(crate) enum Failure {
    /// Not stored; the reason may pass.
    Refused(Refusal),
    /// Nobody knows any more.
    Fatal(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let unavailable = |why: &str| Failure::Refused(Refusal::Unavailable(why.to_owned()));
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => unavailable("the disk is full"),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                unavailable("another program holds the database")
            }
            Some(ErrorCode::ReadOnly) => unavailable("the database may not be written"),
            Some(ErrorCode::ConstraintViolation | ErrorCode::TooBig) => {
                Failure::Refused(Refusal::Rejected(error.to_string()))
            }
            // Also a failed write or sync: what is on the disk is not known any more, and asking a second time
            // may be answered with a success that is none.
            _ => Failure::Fatal(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Failure::Refused(Refusal::Rejected(error.to_string()))
    }
}

/// Whether an event is one that a log takes.
pub(crate) fn check_size(bytes: usize) -> Result<(), Failure> {
    if bytes <= EVENT_BYTES_MAX {
        return Ok(());
    }
    let why = format!("an event of {bytes} bytes; {EVENT_BYTES_MAX} are the most");
    Err(Failure::Refused(Refusal::Rejected(why)))
}
