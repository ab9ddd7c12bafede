//! From when and until when a certificate is good: the one thing in it that nothing else here reads (RFC 5280, section 4.1).

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Tags of DER.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// When the first certificate of a PEM file ends, in milliseconds since the Unix epoch.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub fn certificate_ends(file: &Path) -> Result<u64, String> {
    times(file).map(|(_, until)| until)
}

/// From when and until when the first certificate of a PEM file is good.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub(crate) fn times(file: &Path) -> Result<(u64, u64), String> {
    let unread =
        |why: &dyn std::fmt::Display| format!("cannot read the certificate {}: {why}", file.display());
    let mut all = CertificateDer::pem_file_iter(file).map_err(|error| unread(&error))?;
    let first = all.next().ok_or_else(|| unread(&"there is none in it"))?.map_err(|error| unread(&error))?;
    validity(&first).ok_or_else(|| unread(&"it does not say when it ends"))
}

/// The times between which it is good, behind the serial number, the algorithm and the issuer.
pub(crate) fn validity(certificate: &[u8]) -> Option<(u64, u64)> {
    let (_, certificate, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut rest, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    for _ in ["serial number", "algorithm", "issuer"] {
        rest = element(rest)?.2;
    }
    let (_, validity, _) = element(rest).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (from_tag, from, behind) = element(validity)?;
    let (tag, until, _) = element(behind)?;
    Some((time(from_tag, from)?, time(tag, until)?))
}

/// A time, in milliseconds since the Unix epoch.
fn time(tag: u8, text: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        // Two digits of the year: 50 to 99 are of the last century.
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let part = |from: usize, to: usize| text.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    chinwag_wire::time::parse_rfc3339_millis(&format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z"))
}

/// The first element: its tag, what is in it, and what is behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(*first) {
        short @ 0..0x80 => (short, rest),
        // At most four bytes of length: no certificate is longer.
        long => {
            let (digits, rest) =
                rest.split_at_checked(long - 0x80).filter(|(digits, _)| digits.len() <= 4)?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
    };
    let (inside, behind) = rest.split_at_checked(length)?;
    Some((*tag, inside, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_read_in_both_forms() {
        for (year, expected) in [(2_031, 1_924_992_000_000), (2_077, 3_376_684_800_000)] {
            let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            params.not_after = rcgen::date_time_ymd(year, 1, 1);
            let key = rcgen::KeyPair::generate().unwrap();
            let made = params.self_signed(&key).unwrap();
            assert_eq!(validity(made.der()).map(|(_, until)| until), Some(expected), "{year}");
            for length in 0..made.der().len() / 2 {
                // Nothing breaks on what is cut off.
                let _ = validity(&made.der()[..length]);
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("letter");
        std::fs::write(&file, "Dear Ann").unwrap();
        assert!(certificate_ends(&file).unwrap_err().contains("there is none in it"));
    }
}
