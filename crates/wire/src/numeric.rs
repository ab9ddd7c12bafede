//! Numerics as one table: number, name, parameters, and the text that usually ends them.
//!
//! The numbers and names are those of Modern IRC (<https://modern.ircdocs.horse/#numerics>) and of the IRCv3
//! extensions. The nickname of the addressee, which every numeric begins with, is not among the parameters.

use std::fmt;

/// A numeric reply.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Numeric(pub u16);

/// What the table knows of a numeric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The numeric.
    pub numeric: Numeric,
    /// Its name.
    pub name: &'static str,
    /// Its parameters between the addressee and the text, for people.
    pub params: &'static str,
    /// Its last parameter where that is always the same; empty where the one who sends it makes it.
    pub text: &'static str,
}

macro_rules! numerics {
    ($($number:literal $name:ident $params:literal $text:literal;)*) => {
        impl Numeric {
            $(
                #[doc = concat!("`", stringify!($number), " <client> ", $params, " :", $text, "`")]
                pub const $name: Numeric = Numeric($number);
            )*
        }

        /// Every numeric, by number.
        pub const TABLE: &[Row] = &[
            $(Row { numeric: Numeric::$name, name: stringify!($name), params: $params, text: $text },)*
        ];
    };
}

numerics! {
    // Registration.
    1 RPL_WELCOME "" "";
    2 RPL_YOURHOST "" "";
    3 RPL_CREATED "" "";
    4 RPL_MYINFO "<server> <version> <user modes> <channel modes> [<channel modes with a parameter>]" "";
    5 RPL_ISUPPORT "<token>{ <token>}" "are supported by this server";
    10 RPL_BOUNCE "<host> <port>" "Please use this server";
    105 RPL_REMOTEISUPPORT "<token>{ <token>}" "are supported by that server";
    // Answers about the server.
    200 RPL_TRACELINK "Link <version> <destination> <next>" "";
    201 RPL_TRACECONNECTING "Try. <class> <server>" "";
    202 RPL_TRACEHANDSHAKE "H.S. <class> <server>" "";
    203 RPL_TRACEUNKNOWN "???? <class> [<address>]" "";
    204 RPL_TRACEOPERATOR "Oper <class> <nick>" "";
    205 RPL_TRACEUSER "User <class> <nick>" "";
    206 RPL_TRACESERVER "Serv <class> <servers> <clients> <server> <user> <version>" "";
    207 RPL_TRACESERVICE "Service <class> <name> <type> <wanted type>" "";
    208 RPL_TRACENEWTYPE "<type> 0 <name>" "";
    209 RPL_TRACECLASS "Class <class> <count>" "";
    211 RPL_STATSLINKINFO "<link> <queued> <sent> <sent kB> <received> <received kB> <open s>" "";
    212 RPL_STATSCOMMANDS "<command> <count> [<byte count> <remote count>]" "";
    213 RPL_STATSCLINE "C <host> * <name> <port> <class>" "";
    215 RPL_STATSILINE "I <host> * <host> <port> <class>" "";
    216 RPL_STATSKLINE "K <host> * <user> <port> <class>" "";
    218 RPL_STATSYLINE "Y <class> <ping> <connect> <most> <sendq>" "";
    219 RPL_ENDOFSTATS "<stats letter>" "End of /STATS report";
    221 RPL_UMODEIS "<modes>" "";
    234 RPL_SERVLIST "<name> <server> <mask> <type> <hops> <info>" "";
    235 RPL_SERVLISTEND "<mask> <type>" "End of service listing";
    241 RPL_STATSLLINE "L <mask> * <server> <depth>" "";
    242 RPL_STATSUPTIME "" "";
    243 RPL_STATSOLINE "O <mask> * <name>" "";
    244 RPL_STATSHLINE "H <mask> * <server>" "";
    249 RPL_STATSDEBUG "<stats letter>" "";
    251 RPL_LUSERCLIENT "" "";
    252 RPL_LUSEROP "<ops>" "operator(s) online";
    253 RPL_LUSERUNKNOWN "<connections>" "unknown connection(s)";
    254 RPL_LUSERCHANNELS "<channels>" "channels formed";
    255 RPL_LUSERME "" "";
    256 RPL_ADMINME "[<server>]" "Administrative info";
    257 RPL_ADMINLOC1 "" "";
    258 RPL_ADMINLOC2 "" "";
    259 RPL_ADMINEMAIL "" "";
    261 RPL_TRACELOG "File <file> <level>" "";
    262 RPL_TRACEEND "<target>" "End of TRACE";
    263 RPL_TRYAGAIN "<command>" "Please wait a while and try again";
    265 RPL_LOCALUSERS "[<users> <most>]" "";
    266 RPL_GLOBALUSERS "[<users> <most>]" "";
    271 RPL_SILELIST "<nick> <mask>" "";
    272 RPL_ENDOFSILELIST "" "End of silence list";
    276 RPL_WHOISCERTFP "<nick>" "";
    281 RPL_ACCEPTLIST "<nick>" "";
    282 RPL_ENDOFACCEPT "" "End of /ACCEPT list";
    // Answers about people and rooms.
    300 RPL_NONE "" "";
    301 RPL_AWAY "<nick> <message>" "";
    302 RPL_USERHOST "<replies>" "";
    303 RPL_ISON "<nicks>" "";
    304 RPL_TEXT "<room>" "";
    305 RPL_UNAWAY "" "You are no longer marked as being away";
    306 RPL_NOWAWAY "" "You have been marked as being away";
    307 RPL_WHOISREGNICK "<nick>" "has identified for this nick";
    311 RPL_WHOISUSER "<nick> <user> <host> * <realname>" "";
    312 RPL_WHOISSERVER "<nick> <server> <info>" "";
    313 RPL_WHOISOPERATOR "<nick>" "is an IRC operator";
    314 RPL_WHOWASUSER "<nick> <user> <host> * <realname>" "";
    315 RPL_ENDOFWHO "<mask>" "End of WHO list";
    317 RPL_WHOISIDLE "<nick> <idle s> <signed on at>" "seconds idle, signon time";
    318 RPL_ENDOFWHOIS "<nick>" "End of /WHOIS list";
    319 RPL_WHOISCHANNELS "<nick> <channels>" "";
    320 RPL_WHOISSPECIAL "<nick>" "";
    321 RPL_LISTSTART "Channel" "Users  Name";
    322 RPL_LIST "<channel> <members> <topic>" "";
    323 RPL_LISTEND "" "End of /LIST";
    324 RPL_CHANNELMODEIS "<channel> <modes>{ <argument>}" "";
    328 RPL_CHANNEL_URL "<channel> <url>" "";
    329 RPL_CREATIONTIME "<channel> <created at>" "";
    330 RPL_WHOISACCOUNT "<nick> <account>" "is logged in as";
    331 RPL_NOTOPIC "<channel>" "No topic is set";
    332 RPL_TOPIC "<channel> <topic>" "";
    333 RPL_TOPICWHOTIME "<channel> <nick> <set at>" "";
    335 RPL_WHOISBOT "<nick>" "is a bot";
    336 RPL_INVITELIST "<channel>" "";
    337 RPL_ENDOFINVITELIST "" "End of /INVITE list";
    338 RPL_WHOISACTUALLY "<nick> [<user>@<host>] [<ip>]" "is actually using this host";
    340 RPL_USERIP "<replies>" "";
    341 RPL_INVITING "<nick> <channel>" "";
    346 RPL_INVEXLIST "<channel> <mask>" "";
    347 RPL_ENDOFINVEXLIST "<channel>" "End of channel invite exception list";
    348 RPL_EXCEPTLIST "<channel> <mask>" "";
    349 RPL_ENDOFEXCEPTLIST "<channel>" "End of channel exception list";
    351 RPL_VERSION "<version> <server> <comments>" "";
    352 RPL_WHOREPLY "<channel> <user> <host> <server> <nick> <flags> <hops and realname>" "";
    353 RPL_NAMREPLY "<symbol> <channel> <nicks>" "";
    354 RPL_WHOSPCRPL "<field>{ <field>}" "";
    364 RPL_LINKS "<server> <server> <hops and info>" "";
    365 RPL_ENDOFLINKS "*" "End of /LINKS list";
    366 RPL_ENDOFNAMES "<channel>" "End of /NAMES list";
    367 RPL_BANLIST "<channel> <mask> [<who> <set at>]" "";
    368 RPL_ENDOFBANLIST "<channel>" "End of channel ban list";
    369 RPL_ENDOFWHOWAS "<nick>" "End of WHOWAS";
    371 RPL_INFO "" "";
    372 RPL_MOTD "" "";
    374 RPL_ENDOFINFO "" "End of INFO list";
    375 RPL_MOTDSTART "" "";
    376 RPL_ENDOFMOTD "" "End of /MOTD command";
    378 RPL_WHOISHOST "<nick>" "";
    379 RPL_WHOISMODES "<nick>" "";
    381 RPL_YOUREOPER "" "You are now an IRC operator";
    382 RPL_REHASHING "<config file>" "Rehashing";
    391 RPL_TIME "<server> [<timestamp> [<offset>]] <time for people>" "";
    396 RPL_VISIBLEHOST "<host>" "is now your visible host";
    // Errors.
    400 ERR_UNKNOWNERROR "<command>{ <subcommand>}" "Something went wrong";
    401 ERR_NOSUCHNICK "<nick>" "No such nick/channel";
    402 ERR_NOSUCHSERVER "<server>" "No such server";
    403 ERR_NOSUCHCHANNEL "<channel>" "No such channel";
    404 ERR_CANNOTSENDTOCHAN "<channel>" "Cannot send to channel";
    405 ERR_TOOMANYCHANNELS "<channel>" "You have joined too many channels";
    406 ERR_WASNOSUCHNICK "<nick>" "There was no such nickname";
    407 ERR_TOOMANYTARGETS "<target>" "Too many recipients";
    408 ERR_NOSUCHSERVICE "<service>" "No such service";
    409 ERR_NOORIGIN "" "No origin specified";
    410 ERR_INVALIDCAPCMD "<subcommand>" "Invalid CAP command";
    411 ERR_NORECIPIENT "" "No recipient given";
    412 ERR_NOTEXTTOSEND "" "No text to send";
    413 ERR_NOTOPLEVEL "<mask>" "No top-level domain specified";
    414 ERR_WILDTOPLEVEL "<mask>" "Wildcard in top-level domain";
    415 ERR_BADMASK "<mask>" "Bad server or host mask";
    416 ERR_TOOMANYMATCHES "<command> [<mask>]" "Too many matches";
    417 ERR_INPUTTOOLONG "" "Input line was too long";
    421 ERR_UNKNOWNCOMMAND "<command>" "Unknown command";
    422 ERR_NOMOTD "" "There is no message of the day";
    423 ERR_NOADMININFO "<server>" "No administrative info available";
    424 ERR_FILEERROR "" "File error";
    431 ERR_NONICKNAMEGIVEN "" "No nickname given";
    432 ERR_ERRONEUSNICKNAME "<nick>" "Erroneous nickname";
    433 ERR_NICKNAMEINUSE "<nick>" "Nickname is already in use";
    435 ERR_BANONCHAN "<nick> <channel>" "Cannot change nickname while banned on a channel";
    436 ERR_NICKCOLLISION "<nick>" "Nickname collision";
    437 ERR_UNAVAILRESOURCE "<nick or channel>" "Nickname or channel is temporarily unavailable";
    438 ERR_NICKTOOFAST "<nick>" "You are changing your nickname too fast";
    439 ERR_TARGETTOOFAST "<target>" "You are changing targets too fast";
    441 ERR_USERNOTINCHANNEL "<nick> <channel>" "They aren't on that channel";
    442 ERR_NOTONCHANNEL "<channel>" "You're not on that channel";
    443 ERR_USERONCHANNEL "<nick> <channel>" "is already on channel";
    444 ERR_NOLOGIN "<nick>" "User not logged in";
    445 ERR_SUMMONDISABLED "" "SUMMON has been disabled";
    446 ERR_USERSDISABLED "" "USERS has been disabled";
    447 ERR_NONICKCHANGE "<channel>" "Cannot change nickname while on this channel";
    451 ERR_NOTREGISTERED "" "You have not registered";
    456 ERR_ACCEPTFULL "" "Accept list is full";
    457 ERR_ACCEPTEXIST "<nick>" "is already on your accept list";
    458 ERR_ACCEPTNOT "<nick>" "is not on your accept list";
    461 ERR_NEEDMOREPARAMS "<command>" "Not enough parameters";
    462 ERR_ALREADYREGISTERED "" "You may not reregister";
    463 ERR_NOPERMFORHOST "" "Your host isn't among the privileged";
    464 ERR_PASSWDMISMATCH "" "Password incorrect";
    465 ERR_YOUREBANNEDCREEP "" "You are banned from this server";
    466 ERR_YOUWILLBEBANNED "" "You will be banned from this server";
    467 ERR_KEYSET "<channel>" "Channel key already set";
    470 ERR_LINKCHANNEL "<channel> <other channel>" "Forwarding to another channel";
    471 ERR_CHANNELISFULL "<channel>" "Cannot join channel (+l)";
    472 ERR_UNKNOWNMODE "<mode>" "is an unknown mode to me";
    473 ERR_INVITEONLYCHAN "<channel>" "Cannot join channel (+i)";
    474 ERR_BANNEDFROMCHAN "<channel>" "Cannot join channel (+b)";
    475 ERR_BADCHANNELKEY "<channel>" "Cannot join channel (+k)";
    476 ERR_BADCHANMASK "<channel>" "Bad channel name";
    477 ERR_NEEDREGGEDNICK "<channel>" "You need to be logged in to an account for that";
    478 ERR_BANLISTFULL "<channel> <mode>" "Channel list is full";
    480 ERR_THROTTLE "<channel>" "Cannot join channel (throttled)";
    481 ERR_NOPRIVILEGES "" "Permission denied, you're not an IRC operator";
    482 ERR_CHANOPRIVSNEEDED "<channel>" "You're not channel operator";
    483 ERR_CANTKILLSERVER "" "You can't kill a server";
    484 ERR_RESTRICTED "" "Your connection is restricted";
    485 ERR_UNIQOPRIVSNEEDED "" "You're not the original channel operator";
    488 ERR_NOSSL "<nick>" "You must be connected with TLS to message this user";
    489 ERR_SECUREONLYCHAN "<channel>" "Cannot join channel (+z)";
    491 ERR_NOOPERHOST "" "No operator entry for your host";
    494 ERR_OWNMODE "<nick>" "You cannot message this user with your own modes";
    501 ERR_UMODEUNKNOWNFLAG "" "Unknown MODE flag";
    502 ERR_USERSDONTMATCH "" "Can't change mode for other users";
    511 ERR_SILELISTFULL "<mask>" "Your silence list is full";
    512 ERR_TOOMANYWATCH "<nick>" "Too many watch entries";
    513 ERR_BADPING "" "To connect, type /QUOTE PONG with the token";
    520 ERR_OPERONLY "<channel>" "Cannot join channel (operators only)";
    524 ERR_HELPNOTFOUND "<subject>" "No help available on this topic";
    525 ERR_INVALIDKEY "<channel>" "Key is not well-formed";
    531 ERR_CANTSENDTOUSER "<nick>" "You can't message this user";
    573 ERR_CANNOTSENDRP "<channel>" "Cannot send roleplay message";
    // TLS and mode parameters.
    600 RPL_LOGON "<nick> <user> <host> <time>" "logged on";
    601 RPL_LOGOFF "<nick> <user> <host> <time>" "logged off";
    650 RPL_SYNTAX "<command> <syntax>" "";
    670 RPL_STARTTLS "" "STARTTLS successful, proceed with TLS handshake";
    671 RPL_WHOISSECURE "<nick>" "is using a secure connection";
    691 ERR_STARTTLS "" "STARTTLS failed";
    696 ERR_INVALIDMODEPARAM "<target> <mode> <parameter>" "Invalid mode parameter";
    // HELP, KNOCK, MONITOR, metadata.
    704 RPL_HELPSTART "<subject>" "";
    705 RPL_HELPTXT "<subject>" "";
    706 RPL_ENDOFHELP "<subject>" "End of /HELP";
    707 ERR_TARGCHANGE "<target>" "Targets changing too fast";
    710 RPL_KNOCK "<channel> <nick>!<user>@<host>" "has asked for an invite";
    711 RPL_KNOCKDLVR "<channel>" "Your knock has been delivered";
    712 ERR_TOOMANYKNOCK "<channel>" "Too many knocks";
    713 ERR_CHANOPEN "<channel>" "Channel is open";
    714 ERR_KNOCKONCHAN "<channel>" "You are already on that channel";
    716 RPL_TARGUMODEG "<nick>" "is in +g mode";
    717 RPL_TARGNOTIFY "<nick>" "has been informed that you messaged them";
    718 RPL_UMODEGMSG "<nick> <user>@<host>" "is messaging you, and you have +g";
    723 ERR_NOPRIVS "<privilege>" "Insufficient operator privileges";
    728 RPL_QUIETLIST "<channel> q <mask> [<who> <set at>]" "";
    729 RPL_ENDOFQUIETLIST "<channel> q" "End of channel quiet list";
    730 RPL_MONONLINE "<targets>" "";
    731 RPL_MONOFFLINE "<targets>" "";
    732 RPL_MONLIST "<targets>" "";
    733 RPL_ENDOFMONLIST "" "End of MONITOR list";
    734 ERR_MONLISTFULL "<limit> <targets>" "Monitor list is full";
    742 ERR_MLOCKRESTRICTED "<channel> <mode> <locks>" "Mode cannot be set, it is locked";
    743 ERR_INVALIDBAN "<channel> <mode> <mask>" "Invalid ban mask";
    760 RPL_WHOISKEYVALUE "<target> <key> <visibility> <value>" "";
    761 RPL_KEYVALUE "<target> <key> <visibility> [<value>]" "";
    762 RPL_METADATAEND "" "End of metadata";
    764 ERR_METADATALIMIT "<target>" "Metadata limit reached";
    765 ERR_TARGETINVALID "<target>" "Invalid metadata target";
    766 RPL_KEYNOTSET "<target> <key>" "Key not set";
    767 ERR_KEYINVALID "<key>" "Invalid metadata key";
    769 ERR_KEYNOPERMISSION "<target> <key>" "Permission denied";
    770 RPL_METADATASUBOK "<key>{ <key>}" "";
    771 RPL_METADATAUNSUBOK "<key>{ <key>}" "";
    772 RPL_METADATASUBS "<key>{ <key>}" "";
    774 RPL_METADATASYNCLATER "<target> [<retry after s>]" "";
    // Accounts and SASL.
    900 RPL_LOGGEDIN "<nick>!<user>@<host> <account>" "You are now logged in";
    901 RPL_LOGGEDOUT "<nick>!<user>@<host>" "You are now logged out";
    902 ERR_NICKLOCKED "" "You must use a nick assigned to you";
    903 RPL_SASLSUCCESS "" "SASL authentication successful";
    904 ERR_SASLFAIL "" "SASL authentication failed";
    905 ERR_SASLTOOLONG "" "SASL message too long";
    906 ERR_SASLABORTED "" "SASL authentication aborted";
    907 ERR_SASLALREADY "" "You have already authenticated using SASL";
    908 RPL_SASLMECHS "<mechanisms>" "are available SASL mechanisms";
}

impl Numeric {
    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// Its three digits.
    pub const fn digits(self) -> [u8; 3] {
        [b'0' + (self.0 / 100 % 10) as u8, b'0' + (self.0 / 10 % 10) as u8, b'0' + (self.0 % 10) as u8]
    }

    /// Its row of the table.
    pub fn row(self) -> Option<&'static Row> {
        TABLE.binary_search_by_key(&self, |row| row.numeric).ok().map(|at| &TABLE[at])
    }

    /// Its name; empty for a number that the table does not have.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.name)
    }

    /// The text that ends it; empty where there is no usual one.
    pub fn text(self) -> &'static str {
        self.row().map_or("", |row| row.text)
    }

    /// The numeric of this name.
    pub fn from_name(name: &str) -> Option<Numeric> {
        TABLE.iter().find(|row| row.name == name).map(|row| row.numeric)
    }
}

impl fmt::Display for Numeric {
    /// Three digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

impl fmt::Debug for Numeric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} {}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_table_is_in_order_and_every_row_is_consistent() {
        assert!(TABLE.is_sorted_by_key(|row| row.numeric));
        assert_eq!(TABLE.iter().map(|row| row.numeric).collect::<HashSet<_>>().len(), TABLE.len());
        assert_eq!(TABLE.iter().map(|row| row.name).collect::<HashSet<_>>().len(), TABLE.len());
        for row in TABLE {
            let error = (400..600).contains(&row.numeric.0) || row.name.starts_with("ERR_");
            assert!(row.name.starts_with("RPL_") || error, "{row:?}");
            assert!((1..1000).contains(&row.numeric.0), "{row:?}");
            assert_eq!(row.numeric.row(), Some(row));
            assert_eq!(Numeric::from_name(row.name), Some(row.numeric));
            assert_eq!(row.numeric.to_string().as_bytes(), row.numeric.digits());
            assert!(!row.text.starts_with(':') && !row.params.contains(':'), "{row:?}");
        }
    }

    #[test]
    fn rows_that_everything_depends_on() {
        let check = |numeric: Numeric, digits: &str, name: &str| {
            assert_eq!((numeric.to_string().as_str(), numeric.name()), (digits, name));
        };
        check(Numeric::RPL_WELCOME, "001", "RPL_WELCOME");
        check(Numeric::RPL_ISUPPORT, "005", "RPL_ISUPPORT");
        check(Numeric::RPL_NAMREPLY, "353", "RPL_NAMREPLY");
        check(Numeric::ERR_NICKNAMEINUSE, "433", "ERR_NICKNAMEINUSE");
        check(Numeric::RPL_MONONLINE, "730", "RPL_MONONLINE");
        check(Numeric::RPL_SASLSUCCESS, "903", "RPL_SASLSUCCESS");
        assert_eq!(Numeric(7).row(), None);
        assert_eq!(Numeric(7).text(), "");
        assert_eq!(Numeric::ERR_NOTREGISTERED.text(), "You have not registered");
    }
}
