//! The first thing a plain caller sends: is it a name, and if not, what to say.

use chinwag_wire::names::{Nick, is_reserved};

/// Whether a name may be tried, or the sentence that says what to send instead.
///
/// # Errors
/// The sentence, fit for a terminal.
pub(super) fn check(typed: &str, bytes_max: usize) -> Result<(), String> {
    if typed.is_empty() {
        return Err("Send the name that others should see, for example: ann".to_owned());
    }
    if typed.len() > bytes_max {
        return Err(too_long(typed, bytes_max));
    }
    if is_reserved(typed) || typed.eq_ignore_ascii_case("root") {
        return Err("That name belongs to the server. Send another one.".to_owned());
    }
    if Nick::parse(typed, bytes_max).is_err() {
        return Err("That cannot be a name. Send one of letters, digits, - and _, without spaces, \
                    beginning with a letter."
            .to_owned());
    }
    Ok(())
}

/// Names are counted in bytes, which says nothing to people: how many letters like these would fit.
fn too_long(typed: &str, bytes_max: usize) -> String {
    let fits = typed.char_indices().take_while(|(at, letter)| at + letter.len_utf8() <= bytes_max).count();
    format!("That name is too long: its first {fits} letters would be all right. Send a shorter one.")
}

/// `USER` for somebody of whom nothing but the name is known.
pub(super) fn user_request(nick: &str) -> String {
    let mut user: String = nick.chars().filter(char::is_ascii_alphanumeric).take(10).collect();
    if user.is_empty() {
        user.push_str("guest");
    }
    format!("USER {} 0 * :{nick}", user.to_ascii_lowercase())
}
