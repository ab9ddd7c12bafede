//! Long text in several messages: a line of IRC holds 512 bytes, and plain callers are not to count them.

use chinwag_wire::limits::LINE_BYTES_MAX;

/// Bytes of a user name in front of an `@`, with the `~` of an unproven one: as many as this door sends.
const USER_BYTES_MAX: usize = 11;

/// Bytes of a host: an address of IPv6, the longest that plain callers come from.
const HOST_BYTES_MAX: usize = 45;

/// How many bytes of text fit `:nick!user@host VERB target :text` and its line end.
pub(super) fn text_bytes(nick: &str, verb: &str, target: &str) -> usize {
    let around = nick.len() + USER_BYTES_MAX + HOST_BYTES_MAX + verb.len() + target.len();
    let marks = ":!@ ".len() + " ".len() + " :".len() + "\r\n".len();
    LINE_BYTES_MAX.saturating_sub(around + marks).max(64)
}

/// Cuts text into parts of at most `bytes` bytes: between words where there is a space in the second half of
/// a part, between characters where not. Nothing but those spaces is lost.
pub(super) fn parts(text: &str, bytes: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if rest.len() <= bytes {
            return Some(std::mem::take(&mut rest));
        }
        let mut end = bytes;
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let word_end = rest[..end].rfind(' ').filter(|at| *at > end / 2);
        let (part, next) = match word_end {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => rest.split_at(end),
        };
        rest = next;
        Some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_and_nothing_is_lost() {
        let text = "one two three four five six seven eight nine ten";
        let split: Vec<&str> = parts(text, 12).collect();
        assert!(split.iter().all(|part| part.len() <= 12), "{split:?}");
        assert_eq!(split.join(" "), text);
    }

    #[test]
    fn characters_stay_whole_where_there_is_no_space() {
        let text = "ü".repeat(100);
        let split: Vec<&str> = parts(&text, 15).collect();
        assert!(split.iter().all(|part| part.len() <= 15));
        assert_eq!(split.concat(), text);
    }

    #[test]
    fn a_part_fits_a_line() {
        let bytes = text_bytes("ann", "PRIVMSG", "#lobby");
        let line = format!(":ann!~aaaaaaaaaa@{} PRIVMSG #lobby :{}\r\n", "h".repeat(45), "x".repeat(bytes));
        assert_eq!(line.len(), LINE_BYTES_MAX);
    }
}
