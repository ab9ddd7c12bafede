//! Names and texts from elsewhere, as they can be here.

use chinwag_archive::transfer::{Kind, Record};

/// Bytes of a line of a message: more of them would not reach clients that know no longer ones.
const LINE_BYTES: usize = 400;

/// Bytes of a nickname.
const NICK_BYTES: usize = 64;

/// A nickname: no spaces, no characters that mean something.
pub(super) fn nick(name: &str) -> String {
    let allowed = |c: char| if c.is_whitespace() || "!@:,*?#&".contains(c) { '_' } else { c };
    let mut nick: String = name.trim().chars().filter(|c| !c.is_control()).map(allowed).collect();
    while nick.len() > NICK_BYTES {
        nick.pop();
    }
    if nick.is_empty() { "somebody".to_owned() } else { nick }
}

/// A room's name: with # before it, without spaces and commas.
pub(super) fn room(name: &str) -> String {
    let allowed = |c: char| if c.is_whitespace() || c == ',' { '-' } else { c };
    let room: String = name.trim().chars().filter(|c| !c.is_control()).map(allowed).collect();
    if room.starts_with(['#', '&']) { room } else { format!("#{room}") }
}

/// A message. None where nothing is left of it.
pub(super) fn said(room: &str, kind: Kind, at_ms: u64, who: &str, text: &str) -> Option<Record> {
    let text = text.replace("\r\n", "\n");
    let keep = |c: &char| *c == '\n' || *c == '\t' || !c.is_control() || FORMATS.contains(c);
    let text: String = text.chars().filter(keep).collect();
    let text = text.trim_end_matches(['\n', ' ']).to_owned();
    if text.is_empty() {
        return None;
    }
    let joins = joins(&text);
    Some(Record { joins, text: Some(text), ..Record::new(room, kind, at_ms, &nick(who)) })
}

/// What IRC clients take for bold, colours and the like.
const FORMATS: [char; 9] =
    ['\u{2}', '\u{3}', '\u{4}', '\u{f}', '\u{11}', '\u{16}', '\u{1d}', '\u{1e}', '\u{1f}'];

/// Where lines have to be cut; none for one line that is short enough.
fn joins(text: &str) -> Option<Vec<u32>> {
    let (mut cuts, mut begun) = (Vec::new(), 0);
    for (at, c) in text.char_indices() {
        if c == '\n' {
            begun = at + 1;
        } else if at + c.len_utf8() - begun > LINE_BYTES {
            begun = at;
            cuts.extend(u32::try_from(at));
        }
    }
    (!cuts.is_empty() || text.contains('\n')).then_some(cuts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_can_be_here() {
        assert_eq!(nick(" Ann von B! "), "Ann_von_B_");
        assert_eq!(nick("\u{7}"), "somebody");
        assert_eq!(room("general chat"), "#general-chat");
        assert_eq!(room("&x"), "&x");
        assert_eq!(joins("short"), None);
        assert_eq!(joins("two\nlines"), Some(vec![]));
        let long = "\u{e4}".repeat(450);
        assert_eq!(joins(&format!("a\n{long}")), Some(vec![402, 802]));
        assert_eq!(said("#a", Kind::Message, 1, "x", " \u{0}\n"), None);
    }
}
