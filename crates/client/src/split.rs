//! A text cut into pieces that fit the wire, at spaces where there are any, without losing a character.

/// Cuts a line into pieces of at most `max` bytes. Put together they are the line again.
pub(crate) fn pieces(line: &str, max: usize) -> Vec<&str> {
    let max = max.max(4);
    let mut rest = line;
    let mut pieces = Vec::new();
    while rest.len() > max {
        let mut end = max;
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        // Behind the last space, if that leaves not too little; otherwise in the middle of a word.
        let at = rest[..end].rfind(' ').map(|space| space + 1).filter(|at| *at > end / 2).unwrap_or(end);
        pieces.push(&rest[..at]);
        rest = &rest[at..];
    }
    pieces.push(rest);
    pieces
}

/// Groups the lines of a text into texts of at most so many bytes and lines; what fits is one. `line_max` is how many
/// bytes of a line fit the wire, since longer ones become several there.
pub(crate) fn groups(text: &str, bytes_max: usize, lines_max: usize, line_max: usize) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    let mut lines = 0;
    let cuts = text.split('\n').flat_map(|line| fitting(line, bytes_max, lines_max, line_max));
    for line in cuts {
        let count = pieces(&line, line_max).len();
        match groups.last_mut() {
            Some(group) if group.len() + 1 + line.len() <= bytes_max && lines + count <= lines_max => {
                group.push('\n');
                group.push_str(&line);
                lines += count;
            }
            _ => {
                groups.push(line);
                lines = count;
            }
        }
    }
    groups.retain(|group| !group.trim_matches('\n').is_empty());
    groups
}

/// A line as it is, or as several where it is more than a whole group.
fn fitting(line: &str, bytes_max: usize, lines_max: usize, line_max: usize) -> Vec<String> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    for piece in pieces(line, line_max.min(bytes_max)) {
        match lines.last_mut() {
            Some((count, line)) if *count < lines_max && line.len() + piece.len() <= bytes_max => {
                *count += 1;
                line.push_str(piece);
            }
            _ => lines.push((1, piece.to_owned())),
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_cut_at_spaces() {
        assert_eq!(pieces("one two three", 8), ["one two ", "three"]);
        assert_eq!(pieces("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(pieces("", 4), [""]);
    }

    #[test]
    fn groups_hold_to_both_limits() {
        assert_eq!(groups("a\nb\nc", 100, 2, 50), ["a\nb", "c"]);
        assert_eq!(groups("aaaa\nbbbb", 8, 9, 50), ["aaaa", "bbbb"]);
        assert_eq!(groups("\n\n", 8, 9, 50), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn pieces_are_the_whole(line in "[a-zé☕ ]{0,200}", max in 4_usize..40) {
            let cut = pieces(&line, max);
            prop_assert_eq!(cut.concat(), line.as_str());
            prop_assert!(cut.iter().all(|piece| piece.len() <= max));
        }

        #[test]
        fn groups_fit(text in "[a-z \n]{0,300}", bytes in 20_usize..100, lines in 1_usize..6) {
            for group in groups(&text, bytes, lines, 10) {
                prop_assert!(group.len() <= bytes);
                let count: usize = group.split('\n').map(|line| pieces(line, 10).len()).sum();
                prop_assert!(count <= lines, "{} lines in {:?}", count, group);
            }
        }
    }
}
