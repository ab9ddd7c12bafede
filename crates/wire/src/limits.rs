//! Limits of the wire, with their units. Limits that a configuration sets are arguments, not here.

/// Bytes of an IRC line after its tags, the line end (2 bytes) included.
pub const LINE_BYTES_MAX: usize = 512;

/// Bytes of an IRC line after its tags, without the line end.
pub const BODY_BYTES_MAX: usize = LINE_BYTES_MAX - 2;

/// Bytes of the tags a client may send, `@` and the space behind them included (message-tags, "Size limit").
pub const TAGS_CLIENT_BYTES_MAX: usize = 4096;

/// Bytes of the tags a server may send, `@` and the space behind them included.
pub const TAGS_BYTES_MAX: usize = 8191;

/// Bytes of a line, without its tags and its line end, that this project's client takes from a server.
pub const SERVER_BODY_BYTES_MAX: u32 = 16 * 1024;

/// Bytes of one line of IRC, its tags counted, at which whoever sends it is given up: nearly twice as many as any line
/// may have.
pub const ENDLESS_BYTES: u32 = 16 * 1024;

/// Bytes of a line, without its tags and its line end, that makes an account: the longest password has to fit, and
/// nothing of such a line is ever sent on to a client with narrower limits.
pub const REGISTER_BODY_BYTES_MAX: usize = 1022;

/// Parameters of a message.
pub const PARAMS_MAX: usize = 15;

/// Tokens of one RPL_ISUPPORT line: the nickname and the text behind them are parameters too.
pub const ISUPPORT_TOKENS_MAX: usize = 13;

/// Bytes of a line that a plain caller sends; what is longer is refused as a whole.
pub const PLAIN_LINE_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a user name (`USER`), the `~` not counted.
pub const USERNAME_BYTES_MAX: usize = 18;

/// Bytes of a real name.
pub const REALNAME_BYTES_MAX: usize = 150;

/// Bytes of a channel key (mode `k`).
pub const KEY_BYTES_MAX: usize = 23;

/// Bytes of a mask (mode `b`).
pub const MASK_BYTES_MAX: usize = 200;

/// Bytes of a label (labeled-response, "The label tag").
pub const LABEL_BYTES_MAX: usize = 64;

/// First bytes that the detection of doors looks at. Who sent so many and is still undecided is plain.
pub const DETECT_BYTES_MAX: usize = TAGS_CLIENT_BYTES_MAX + LINE_BYTES_MAX;
