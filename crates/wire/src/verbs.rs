//! The commands of IRC that the chat knows, as one table.
//!
//! A new command is one row here, one file in the chat's `commands/` and one line in its table. `HELP`, the
//! checks before a command runs and the manual follow from the row.

/// When a command may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At any time.
    Always,
    /// Only until registration is complete (afterwards: ERR_ALREADYREGISTERED).
    Before,
    /// Only afterwards (before: ERR_NOTREGISTERED).
    Registered,
}

macro_rules! verbs {
    ($($verb:ident, $name:literal, $min:literal, $when:ident, $syntax:literal, $what:literal;)*) => {
        /// A command.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Verb { $(#[doc = concat!("`", $name, " ", $syntax, "`: ", $what)] $verb,)* }

        impl Verb {
            /// Every command, the commonest first.
            pub const ALL: &'static [Verb] = &[$(Verb::$verb),*];

            /// Its name, in capitals.
            pub const fn name(self) -> &'static str {
                match self { $(Verb::$verb => $name,)* }
            }

            /// Parameters without which it is refused (ERR_NEEDMOREPARAMS). Commands that have an answer of
            /// their own for missing parameters say 0.
            pub const fn params_min(self) -> usize {
                match self { $(Verb::$verb => $min,)* }
            }

            /// When it may be used.
            pub const fn when(self) -> When {
                match self { $(Verb::$verb => When::$when,)* }
            }

            /// Its parameters, for people; empty for none.
            pub const fn syntax(self) -> &'static str {
                match self { $(Verb::$verb => $syntax,)* }
            }

            /// What it does, in one sentence.
            pub const fn what(self) -> &'static str {
                match self { $(Verb::$verb => $what,)* }
            }

            /// The command of this name, in any case.
            #[inline]
            pub fn lookup(name: impl AsRef<[u8]>) -> Option<Verb> {
                let key = key(name.as_ref());
                $(if key == const { key_of($name) } { return Some(Verb::$verb); })*
                None
            }
        }
    };
}

verbs! {
    // Verb, name, parameters at least, when, parameters, what it does.
    Privmsg, "PRIVMSG", 0, Registered, "<target>{,<target>} :<text>", "Says something in a room or to somebody.";
    Tagmsg, "TAGMSG", 1, Registered, "<target>{,<target>}", "Sends tags without a text (typing, reactions).";
    Notice, "NOTICE", 0, Registered, "<target>{,<target>} :<text>", "As PRIVMSG, but nothing ever answers it automatically.";
    Ping, "PING", 1, Always, "<token>", "Asks for a sign of life: PONG with the same token comes back.";
    Pong, "PONG", 0, Always, "<token>", "Answers PING.";
    Join, "JOIN", 1, Registered, "<room>{,<room>} [<key>{,<key>}]", "Enters rooms; a room that is not there yet is opened.";
    Part, "PART", 1, Registered, "<room>{,<room>} [:<reason>]", "Leaves rooms.";
    Nick, "NICK", 0, Always, "<nickname>", "Takes a nickname.";
    User, "USER", 4, Before, "<username> 0 * :<real name>", "Says who is coming in; with NICK it completes registration.";
    Cap, "CAP", 1, Always, "LS [<version>] | LIST | REQ :<names> | END", "Negotiates capabilities.";
    Pass, "PASS", 1, Before, "<password>", "Gives the server's password, before NICK and USER.";
    Authenticate, "AUTHENTICATE", 1, Always, "<mechanism> | <base64> | *", "Proves whose account you use; * gives up.";
    Register, "REGISTER", 3, Always, "<account or *> <mail address or *> <password> [<invitation>]", "Makes your nickname an account that stays yours.";
    Invitation, "INVITATION", 1, Always, "<code> | ADD|LIST|DEL [<room>] ...", "Comes into a room by the code you were given, or notes it for REGISTER; makes such codes.";
    Verify, "VERIFY", 2, Always, "<account> <code>", "Gives back the code that was sent for a new account.";
    Link, "LINK", 0, Always, "[<code>]", "Gives a code with which another session or ssh key joins your account; with a code, joins.";
    Token, "TOKEN", 1, Registered, "ADD <name> [<scopes>] [<bot>] | LIST | DEL <name>", "Makes, shows and revokes what programs of yours show instead of a password; the scopes are read, write, accounts.";
    Logout, "LOGOUT", 0, Always, "", "Logs you out of your account.";
    Quit, "QUIT", 0, Always, "[:<reason>]", "Says goodbye and closes the connection.";
    Mode, "MODE", 1, Registered, "<target> [<modes> [<argument>{ <argument>}]]", "Shows or changes the modes of a room or of yourself.";
    Topic, "TOPIC", 1, Registered, "<room> [:<topic>]", "Shows or sets what a room is about.";
    Names, "NAMES", 0, Registered, "[<room>{,<room>}]", "Shows who is in a room.";
    Who, "WHO", 0, Registered, "<room or mask>", "Shows people with what is known of them.";
    Whois, "WHOIS", 0, Registered, "[<server>] <nickname>", "Shows what is known of somebody.";
    List, "LIST", 0, Registered, "[<room, mask or condition>{,<…>}]", "Shows the rooms; conditions are !MASK, >MEMBERS, <MEMBERS, C and T with > or < and minutes since opening and topic.";
    Chathistory, "CHATHISTORY", 0, Registered, "LATEST|BEFORE|AFTER|AROUND <room> <point> <limit> | BETWEEN <room> <point> <point> <limit> | TARGETS <point> <point> <limit>", "Reads what was said before; a point is timestamp=… or msgid=….";
    Persistence, "PERSISTENCE", 1, Registered, "GET | SET ON|OFF|DEFAULT", "Shows or says whether you stay when your last connection ends.";
    Markread, "MARKREAD", 0, Registered, "<room or nickname> [timestamp=<time>]", "Shows or says up to when you have read.";
    Metadata, "METADATA", 2, Always, "<target> GET|SET|LIST|CLEAR|SYNC|SUB|UNSUB|SUBS [<key> …]", "Shows or sets what people and rooms say of themselves to programs.";
    Re, "RE", 3, Registered, "<room> <message> :<text>", "Answers a message; messages are pointed at by number or msgid.";
    Quote, "QUOTE", 2, Registered, "<room> <message> [:<text>]", "Says again what a message said, and something about it.";
    React, "REACT", 3, Registered, "<room> <message> <reaction>", "Reacts to a message, with a sign or a word.";
    Unreact, "UNREACT", 3, Registered, "<room> <message> <reaction>", "Takes a reaction back.";
    Edit, "EDIT", 1, Registered, "<room> <message> :<text>", "Changes what you said; with the tags of draft/message-edit, the room is enough.";
    Redact, "REDACT", 2, Registered, "<room> <message> [:<reason>]", "Deletes a message: your own, or anybody's in a room whose operator you are.";
    Pin, "PIN", 2, Registered, "<room> <message>", "Points a message out to everybody who comes (operators of the room).";
    Unpin, "UNPIN", 2, Registered, "<room> <message>", "Ends that (operators of the room).";
    Pins, "PINS", 1, Registered, "<room>", "Shows the messages that a room points out.";
    Was, "WAS", 2, Registered, "<room> <message>", "Shows what became of a message, and how it read before it was edited (operators of the room).";
    Numbers, "NUMBERS", 1, Registered, "on|off", "Whether messages are shown to you with their numbers, as (42).";
    Away, "AWAY", 0, Always, "[:<text>]", "Says that you are away, and why; without a text, that you are back.";
    Batch, "BATCH", 1, Registered, "+<reference> draft/multiline <target> | -<reference>", "Begins and ends a message of several lines (capability draft/multiline).";
    Kick, "KICK", 2, Registered, "<room>{,<room>} <nickname>{,<nickname>} [:<reason>]", "Puts people out of a room, or each out of their own of as many rooms.";
    Relaymsg, "RELAYMSG", 3, Registered, "<room> <nickname> :<text>", "Says something in a room for somebody elsewhere (bridges).";
    Npc, "NPC", 3, Registered, "<room> <name> :<text>", "Says something as somebody you made up, in rooms with mode E.";
    Npca, "NPCA", 3, Registered, "<room> <name> :<text>", "The same as an action: what they do.";
    Scene, "SCENE", 2, Registered, "<room> :<text>", "Tells what happens, in rooms with mode E.";
    Rename, "RENAME", 2, Registered, "<room> <new name> [:<reason>]", "Gives a room another name.";
    Invite, "INVITE", 0, Registered, "[<nickname> <room>]", "Asks somebody into a room; alone, shows where you were asked in.";
    Ison, "ISON", 1, Registered, "<nickname>{ <nickname>}", "Shows which of these people are here.";
    Isupport, "ISUPPORT", 0, Always, "", "Shows what the server supports.";
    Userhost, "USERHOST", 1, Registered, "<nickname>{ <nickname>}", "Shows the addresses of up to five people.";
    Accept, "ACCEPT", 1, Registered, "<nickname>{,-<nickname>} | *", "Lets these people write to you although you let in only people with an account (mode R); - takes it back, * shows them.";
    Kill, "KILL", 1, Registered, "<nickname> [:<reason>]", "Puts somebody off the server; for those who run it.";
    Links, "LINKS", 0, Registered, "", "Shows the servers of the network, to those who run it.";
    Monitor, "MONITOR", 1, Registered, "+|- <nickname>{,<nickname>} | C | L | S", "Tells you when people come and go; C clears the list, L shows it, S shows who is here.";
    Motd, "MOTD", 0, Registered, "[<server>]", "Shows the message of the day.";
    Lusers, "LUSERS", 0, Registered, "", "Shows how many people and rooms there are.";
    Ban, "BAN", 2, Registered, "<room> <nickname or mask> [<duration>] [:<reason>]", "Puts somebody out of a room and lets them in no more; a duration is 90s, 2h, 1d12h.";
    Unban, "UNBAN", 2, Registered, "<room> <nickname or mask>", "Lets somebody in again.";
    Mute, "MUTE", 2, Registered, "<room> <nickname or mask> [<duration>] [:<reason>]", "Silences somebody in a room.";
    Unmute, "UNMUTE", 2, Registered, "<room> <nickname or mask>", "Lets somebody speak again.";
    Slow, "SLOW", 1, Registered, "<room> [<seconds>|off]", "Lets everybody wait between two messages, or shows for how long they do.";
    Lockdown, "LOCKDOWN", 1, Registered, "<room> [<minutes>|off]", "Lets only those speak who have been known for so long, or shows for how long.";
    Keep, "KEEP", 1, Registered, "<room> [<duration>|forever]", "Lets what is said in a room disappear after that time, or shows after which it does.";
    Purge, "PURGE", 1, Registered, "<room> [<nickname or mask> <duration> [:<reason>] | CONFIRM | UNDO [<number>] | FINAL <number>]", "Hides what somebody said in the last time, after a look at how much it is; UNDO brings it back, FINAL removes it for good.";
    Erase, "ERASE", 0, Registered, "ME [<room>] | <account, nickname or mask> [<room>] | CONFIRM", "Removes for good what you said with your account, or (server operators) what somebody said, after a look at how much it is; without words it says how far it is.";
    Hook, "HOOK", 1, Registered, "ADD <room> <name> | OUT <room> <name> <address> | LIST <room> | DEL <room> <name>", "Makes, shows and removes addresses where programs say something in a room, and those that are told what is said in it (operators of the room).";
    Modlog, "MODLOG", 1, Registered, "<room or *> [<count>] [<entry>] | <room> OPEN|CLOSED", "Shows who did what to keep a room, or (*) the server; with an entry, what was before it. OPEN lets every member of the room read it.";
    Search, "SEARCH", 1, Registered, "<words> | <attributes>", "Finds what was said where you are: words, \"a phrase\", begin*, in:#room from:name before:2026-11-21 after:2026-11-01.";
    Upload, "UPLOAD", 1, Registered, "<room or *>", "Gives an address to which you can send one file, which is then shown in the room; with *, you get its link and say it yourself.";
    Nickserv, "NICKSERV", 0, Registered, "<command> [<words>]", "Asks NickServ: accounts.";
    Ns, "NS", 0, Registered, "<command> [<words>]", "The same as NICKSERV.";
    Chanserv, "CHANSERV", 0, Registered, "<command> [<words>]", "Asks ChanServ: whose a room is.";
    Cs, "CS", 0, Registered, "<command> [<words>]", "The same as CHANSERV.";
    Uban, "UBAN", 1, Registered, "ADD <network, mask, account or SHA256:key> [<duration>] [:<reason>] | DEL <target> | LIST | INFO <target or nickname>", "Lets somebody in no more, for server operators; a duration is 90s, 2h, 1d12h.";
    Version, "VERSION", 0, Registered, "[<server>]", "Shows what the server runs.";
    Time, "TIME", 0, Registered, "[<server>]", "Shows the server's time.";
    Admin, "ADMIN", 0, Registered, "[<server>]", "Shows who looks after the server.";
    Info, "INFO", 0, Registered, "[<server>]", "Shows what this software is.";
    Help, "HELP", 0, Registered, "[<command>]", "Explains commands.";
    Helpop, "HELPOP", 0, Registered, "[<command>]", "The same as HELP.";
    Oper, "OPER", 2, Registered, "<name> <password>", "Makes you one of those who run the server.";
    Owner, "OWNER", 0, Registered, "[<code> | ADD <account> | DEL <account>]", "Makes the server yours with the code of its start-up, or says whose it is; owners name others.";
    Rehash, "REHASH", 0, Registered, "", "Has the configuration read again; for those who run the server.";
    Sethost, "SETHOST", 1, Registered, "[<nickname>] <host>", "Gives somebody another host; for those who run the server.";
    Setname, "SETNAME", 1, Registered, ":<real name>", "Changes your real name.";
    Stats, "STATS", 0, Registered, "<letter> [<server>]", "Shows figures of the server, one for each letter.";
    Webirc, "WEBIRC", 0, Before, "<password> <gateway> <host> <address> [:<options>]", "A gateway says for whom it connects, before anything else.";
    Wallops, "WALLOPS", 1, Registered, ":<text>", "Tells everybody who listens (mode w) something; for those who run the server.";
    Whowas, "WHOWAS", 0, Registered, "<nickname> [<count>]", "Shows who had a nickname before.";
}

impl Verb {
    /// Whether it may be used only once registration is complete.
    pub const fn needs_registration(self) -> bool {
        matches!(self.when(), When::Registered)
    }

    /// Its place in [`Verb::ALL`], for tables of functions.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// A name in capitals as one number; 0, which no name has, when it is longer than any.
#[inline]
const fn key(name: &[u8]) -> u128 {
    if name.len() > 15 {
        return 0;
    }
    // The 1 in front tells names apart that differ only in leading zero bytes.
    let mut key = 1;
    let mut at = 0;
    while at < name.len() {
        key = key << 8 | name[at].to_ascii_uppercase() as u128;
        at += 1;
    }
    key
}

const fn key_of(name: &str) -> u128 {
    key(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_consistent() {
        for (at, verb) in Verb::ALL.iter().enumerate() {
            assert_eq!(verb.index(), at);
            assert_eq!(Verb::lookup(verb.name()), Some(*verb));
            assert_eq!(Verb::lookup(verb.name().to_ascii_lowercase()), Some(*verb));
            assert!(verb.name().bytes().all(|byte| byte.is_ascii_uppercase()));
            assert!(verb.what().ends_with('.'), "{}", verb.name());
            let required =
                verb.syntax().split(' ').take_while(|word| word.starts_with('<') || word.starts_with('0'));
            assert!(verb.params_min() <= required.count().max(4), "{}", verb.name());
        }
    }

    #[test]
    fn what_is_no_command_is_none() {
        for name in ["", "PRIV", "PRIVMSGS", "PRIVMSG ", "\0PRIVMSG", "PRÌVMSG", "A_COMMAND_LONGER_THAN_ANY"]
        {
            assert_eq!(Verb::lookup(name), None, "{name:?}");
        }
    }
}
