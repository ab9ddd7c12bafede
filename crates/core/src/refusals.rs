//! Why somebody was refused, slowed down or put out: a name each, by which it is counted for those who run the server.
//!
//! What lives here: the reasons that the chat and the node know. Those of sockets are the server's. What does not: the
//! sentences; they stand where they are said.

macro_rules! whys {
    ($($name:ident $label:literal $what:literal;)*) => {
        /// Why.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Why {
            $(#[doc = $what] $name,)*
        }

        impl Why {
            /// Every reason.
            pub const ALL: &[Why] = &[$(Why::$name,)*];

            /// Its name in figures.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Why::$name => $label,)*
                }
            }

            /// What it means, for people.
            pub const fn what(self) -> &'static str {
                match self {
                    $(Why::$name => $what,)*
                }
            }
        }
    };
}

whys! {
    RoomsRate "rooms_rate" "Too many rooms were opened from an address block, or by an account.";
    AccountsRate "accounts_rate" "Too many accounts were made from an address block.";
    PasswordsRate "passwords_rate" "Too many wrong passwords came from an address block.";
    JoinsRate "joins_rate" "Too many rooms were entered from an address block, or by an account.";
    NicksRate "nicks_rate" "Nicknames were changed too often from an address block, or by an account.";
    OpeningsRate "openings_rate" "Too many people were written to who had not written back.";
    WrongPassword "wrong_password" "A password, a code or another proof was wrong.";
    ServerBan "server_ban" "A ban of the server keeps them out.";
    Cleartext "cleartext" "A password came over a connection that others can listen to.";
    Commands "commands_rate" "Commands came too fast: they waited, and nothing was lost.";
    LineTooLong "line_too_long" "A line was too long, and nothing of it was looked at.";
    EndlessLine "endless_line" "A line did not end: its session was closed.";
    NotUtf8 "not_utf8" "A line was not UTF-8.";
    NoMessage "no_message" "A line was no message.";
    InputQueue "input_queue" "Too much input waited: the session was closed.";
    GreetingTooLong "greeting_too_long" "Too much was sent before registration.";
    GreetingTimeout "greeting_timeout" "Nobody said in time who they are.";
    PingTimeout "ping_timeout" "No sign of life came.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_place_and_a_name_of_its_own() {
        for (place, why) in Why::ALL.iter().enumerate() {
            assert_eq!(*why as usize, place);
            assert!(Why::ALL.iter().all(|other| other == why || other.label() != why.label()));
            assert!(why.what().ends_with('.'));
        }
    }
}
