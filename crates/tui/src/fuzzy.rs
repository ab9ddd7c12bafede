//! Names found by some of their letters, in their order: the room switcher's way to look.

/// How well `name` fits what was typed; none when a letter is missing. More is better.
///
/// Letters at the beginning of words and beside each other count most; shorter names win.
pub fn score(typed: &str, name: &str) -> Option<i32> {
    let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let typed: Vec<char> =
        typed.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    // The best score for the letters so far that ends at each place of the name.
    let mut best: Vec<Option<i32>> = vec![None; name.len()];
    for (index, letter) in typed.iter().enumerate() {
        let mut next = vec![None; name.len()];
        let mut before: Option<i32> = (index == 0).then_some(0);
        for (at, character) in name.iter().enumerate() {
            let beside = at.checked_sub(1).and_then(|left| best[left]).map(|score| score + 8);
            if character == letter {
                let start = at == 0 || !name[at - 1].is_alphanumeric();
                let bonus = if start { 6 } else { 1 };
                next[at] = before.max(beside).map(|score| score + bonus);
            }
            if index > 0 {
                before = before.max(best[at]);
            }
        }
        best = next;
    }
    let length = i32::try_from(name.len()).unwrap_or(i32::MAX);
    if typed.is_empty() {
        return Some(0);
    }
    best.into_iter().flatten().max().map(|score| score * 16 - length)
}

/// The names that fit, the best first; equally good ones stay in their order.
pub fn pick<'a, T>(typed: &str, from: impl Iterator<Item = (T, &'a str)>) -> Vec<T> {
    let mut found: Vec<(i32, T)> =
        from.filter_map(|(what, name)| Some((score(typed, name)?, what))).collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, what)| what).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(typed: &str) -> Vec<&'static str> {
        const NAMES: [&str; 6] = ["#lobby", "#rust", "#rust-beginners", "bob", "#build", "#über"];
        pick(typed, NAMES.iter().map(|name| (*name, *name)))
    }

    #[test]
    fn letters_in_order_find_names() {
        assert_eq!(picked("rust"), ["#rust", "#rust-beginners"]);
        assert_eq!(picked("rb")[0], "#rust-beginners");
        assert_eq!(picked("b")[0], "bob");
        assert_eq!(picked("#b")[0], "#build");
        assert_eq!(picked("Ü"), ["#über"]);
        assert_eq!(picked("xyz"), Vec::<&str>::new());
        assert_eq!(picked("").len(), 6);
    }
}
