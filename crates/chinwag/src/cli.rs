//! The command line: what can be asked for, and the help that teaches it.

use std::path::PathBuf;

use chinwag_pipes::words;
use chinwag_server::config::Address;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// What `chinwag` alone says.
pub(crate) const EXPLANATION: &str = "\
chinwag: the chat room that everybody can walk into

  chinwag serve             start a server on this machine, port 55555
  chinwag join [ADDRESS]    walk into a server with the terminal client
  chinwag say ROOM [TEXT]   say something, or what comes by standard input
  chinwag tail ROOM         print what is said, as it comes
  chinwag search QUERY      print what was said with these words
  chinwag export ROOM       write a room's whole history to a file
  chinwag config            print every setting with its default and its reason
  chinwag config check FILE say whether a configuration file is fine
  chinwag hash              print what [[oper]] keeps of a password
  chinwag account add NAME  make an account, while no server runs on the data
  chinwag import FILE       bring in what was said elsewhere: IRC logs, Slack, Discord
  chinwag backup FILE       copy everything into one file, also while a server runs
  chinwag restore FILE      bring a backup back
  chinwag doctor            look at disk, clock, certificate, ports and data, and say what to do
  chinwag help COMMAND      explain a command, with examples

Once a server runs, walk in:

  nc 127.0.0.1 55555        type a nickname, then talk
  any IRC client            server 127.0.0.1, port 55555, with TLS or without
  ssh -p 55555 you@127.0.0.1                     your key keeps the nickname yours
";

const EXAMPLES: &str = "\
Examples:
  chinwag serve                                   for this machine, nothing to configure
  chinwag serve --listen 0.0.0.0:55555            for everybody who reaches this machine
  chinwag serve --listen 127.0.0.1:55555 --listen 127.0.0.1:6667
  chinwag serve --data ./chat --config chat.toml  in a folder of its own, with a file of settings

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.";

const SERVE_EXAMPLES: &str = "\
Examples:
  chinwag serve                          then, in another terminal:  nc 127.0.0.1 55555
                                         or, if you have a key:      ssh -p 55555 you@127.0.0.1
  chinwag serve --listen 0.0.0.0:55555   opens it to the network
  chinwag serve --data ./chat            keeps what is said in ./chat
  chinwag config > chat.toml             writes every setting down, with its reason
  chinwag serve --config chat.toml       uses them; SIGHUP reads the file again

SIGTERM or Ctrl-C ends it within a second: everybody is told, nothing that was acknowledged is lost.";

const JOIN_EXAMPLES: &str = "\
Examples:
  chinwag join                              the server on this machine; without one, those of this network to choose from
  chinwag join --list                       what is announced on this network, a line each, for programs
  chinwag join chat.example                 another one, with TLS
  chinwag join chat.example --room '#rust'  straight into a room
  chinwag join localhost chat.example       two servers in one client
  chinwag join --account ann                with your account; the password is asked for
  chinwag join irc.example:6667 --plaintext any IRC server
  chinwag join 'http://chat.example:55555/#/invitation/amber-river-lamp-frost'   where you were invited

F1 shows the keys. Your nickname, rooms, and the servers' certificates are remembered in the platform's state folder,
on Linux ~/.local/state/chinwag/servers.toml. NO_COLOR is heeded.";

const SAY_EXAMPLES: &str = "\
Examples:
  chinwag say '#build' it works              one message
  make 2>&1 | chinwag say '#build'           each line of the input is a message
  git log -1 | chinwag say '#build' --as-one all of it is one message of several lines
  chinwag say ann 'are you there?'           to one person

Exit code 0 means that everything is kept. 1: it is not, and the sentence says why. Empty lines and colours are left out.";

const TAIL_EXAMPLES: &str = "\
Examples:
  chinwag tail '#build'                      the last 10 messages, then those that come
  chinwag tail '#build' '#tea' -n 0          only those that come, of two rooms
  chinwag tail '#build' --since 2h --once    those of the last two hours
  chinwag tail '#build' --json | jq -r .text one JSON object a line

Fields of --json: room, msgid, number, time (UTC), nick, account (null for guests), bot, kind (message, action, notice),
text, reply_to (a msgid or null), edited. They stay; more may come.";

const SEARCH_EXAMPLES: &str = "\
Examples:
  chinwag search green tea                   messages with both words, the newest 20
  chinwag search '\"green tea\"' 'kett*'      a phrase, and all words that begin so
  chinwag search kettle --room '#tea' --from ann --since 7d
  chinwag search deploy --json -n 500        one JSON object a line, with the fields of tail --json

Where you may read is looked through: as a guest the rooms of chinwag join's last time, or --room. Exit code 0 means that
something was found, 1 that nothing was.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  chinwag export '#build' > build.jsonl      one JSON object a line, as tail --json
  chinwag export '#build' --format text      for people
  chinwag export '#build' '#tea' --format html -o chat.html
  chinwag export --data ./chat -o all.jsonl  all rooms, out of the data folder itself

With --data everything that was said is written, with who said it, edits, reactions and topics, and `chinwag import`
makes the same of it again; a server may run meanwhile. Accounts, rules and conversations of two are for
`chinwag backup`.";

const IMPORT_EXAMPLES: &str = "\
Examples:
  chinwag import all.jsonl                           what chinwag export wrote
  chinwag import irc.libera.#tea.weechatlog --format weechat
  chinwag import ~/irclogs/libera --format irssi     all logs below that folder
  chinwag import '#tea.log' --format irssi --into '#tea-of-old'
  chinwag import ./slack-export --format slack       Slack's export, unpacked
  chinwag import tea.json --format discord           JSON of DiscordChatExporter

No server may run on the folder. What is there already is not stored again: an import that was interrupted goes on
with the same command, and a second one changes nothing. Times without a zone are of this machine's (TZ=… says
otherwise).";

const ACCOUNT_EXAMPLES: &str = "\
Examples:
  chinwag account add ann < password.txt   the first line is the password
  chinwag account password ann             asks for it
  chinwag account list --data ./chat
  chinwag account remove ann               the name is free then

A running server has the data to itself: stop it first, or use REGISTER.";

const BACKUP_EXAMPLES: &str = "\
Examples:
  chinwag backup /backups/              a file there that is called after the moment
  chinwag backup chat.chinwag-backup    this file, which must not be there yet
  chinwag restore --check FILE          what is in it, and whether it is whole

A server may go on meanwhile: the backup holds all up to one position of its log, and is read back before the
command ends. What people handed in (files) is part of it, and makes it as large. The server's keys and certificates are part of it, so keep it as safe as the data folder; the
configuration file is not.";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  chinwag doctor                                      of the default folder and settings
  chinwag doctor --data ./chat --config chat.toml     of these

A line a finding: fine, look (soon) or BAD (now), and what to do. It changes nothing and reads the whole database; a
server may run meanwhile. Exit code 1 when something is BAD.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  chinwag completions bash > ~/.local/share/bash-completion/completions/chinwag
  chinwag completions zsh > ~/.zfunc/_chinwag
  chinwag completions fish > ~/.config/fish/completions/chinwag.fish";

const RESTORE_EXAMPLES: &str = "\
Examples:
  chinwag restore chat.chinwag-backup --data ./chat     into a folder that keeps nothing yet
  chinwag restore chat.chinwag-backup --overwrite       in place of what is there, which becomes a snapshot
  chinwag restore chat.chinwag-backup --check           only reads it through

No server may run on the folder.";

const ROLLBACK_EXAMPLES: &str = "\
Examples:
  chinwag rollback --list     the snapshots, oldest first
  chinwag rollback --yes      to the newest one from before a new version changed the form of the data
  chinwag rollback NAME --yes to this one

A snapshot is made before a new version changes the data, and of what restore and rollback replace. What was said
after it is left out then, and is itself a snapshot. No server may run on the folder.";

const HASH_EXAMPLES: &str = "\
Examples:
  chinwag hash                    asks for the password
  chinwag hash < password.txt     the first line is the password

What is printed goes into the configuration, as password = \"…\" of an [[oper]] or a [[webirc]].";

/// The chat room that everybody can walk into: nc, any IRC client, one port, nothing lost.
#[derive(Debug, Parser)]
#[command(name = "chinwag", version, after_help = EXAMPLES, disable_help_subcommand = false)]
pub(crate) struct Cli {
    /// What to do; nothing explains the commands.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a server.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Walk into a server with the terminal client.
    #[command(after_help = JOIN_EXAMPLES)]
    Join(JoinArgs),
    /// Say something in a room or to somebody: the text, or each line of standard input.
    #[command(after_help = SAY_EXAMPLES)]
    Say(SayArgs),
    /// Print the last messages of rooms, and those that come.
    #[command(after_help = TAIL_EXAMPLES)]
    Tail(TailArgs),
    /// Print what was said with certain words, oldest first.
    #[command(after_help = SEARCH_EXAMPLES)]
    Search(SearchArgs),
    /// Write the whole history of rooms, oldest first.
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(ExportArgs),
    /// Bring in what was said elsewhere, while no server runs on the data.
    #[command(after_help = IMPORT_EXAMPLES)]
    Import(ImportArgs),
    /// Make, change, list or remove accounts, while no server runs on the data.
    #[command(after_help = ACCOUNT_EXAMPLES)]
    Account(AccountArgs),
    /// Copy everything that is kept into one file, also while a server runs, and read it back.
    #[command(after_help = BACKUP_EXAMPLES)]
    Backup(BackupArgs),
    /// Make a data folder what it was when a backup was made.
    #[command(after_help = RESTORE_EXAMPLES)]
    Restore(RestoreArgs),
    /// Go back to what was kept before a new version changed it.
    #[command(after_help = ROLLBACK_EXAMPLES)]
    Rollback(RollbackArgs),
    /// Look at everything that a server needs, and say what is wrong and what to do.
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor(DoctorArgs),
    /// Print what a shell needs to complete the command line.
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write the manual's pages into a folder.
    #[command(hide = true)]
    Man {
        /// The folder.
        folder: PathBuf,
    },
    /// Print what the sections oper and webirc of the configuration keep of a password, the first line of standard input.
    #[command(after_help = HASH_EXAMPLES)]
    Hash,
    /// Print every setting with its default and its reason, or check a file.
    Config {
        /// Nothing prints the defaults.
        #[command(subcommand)]
        command: Option<ConfigCommand>,
    },
}

/// `chinwag join`
#[derive(Debug, Args)]
pub(crate) struct JoinArgs {
    /// Where: host, host:port, or the link of an invitation; several are several servers in one client [default: the server on this machine,
    /// port 55555, or one that is announced on this network].
    #[arg(value_name = "ADDRESS")]
    pub(crate) addresses: Vec<String>,
    /// Your nickname; without it the one of the last time, or you are asked.
    #[arg(long, value_name = "NAME")]
    pub(crate) nick: Option<String>,
    #[command(flatten)]
    pub(crate) proof: ProofArgs,
    /// A room to enter; may be given more than once [default: the rooms of the last time, or #lobby].
    #[arg(long = "room", value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,
    /// The code of an invitation: it takes you into its room. The link of an invitation as the address does the same.
    #[arg(long, value_name = "CODE", env = "CHINWAG_INVITATION", hide_env_values = true)]
    pub(crate) invitation: Option<String>,
    /// Use TLS [default: except on this machine].
    #[arg(long, conflicts_with = "plaintext")]
    pub(crate) tls: bool,
    /// Do without TLS: everybody on the way can read.
    #[arg(long)]
    pub(crate) plaintext: bool,
    /// Colours: dark, light, 16, none, contrast [default: what fits the terminal].
    #[arg(long, value_name = "NAME", env = "CHINWAG_THEME")]
    pub(crate) theme: Option<String>,
    /// Leave the mouse to the terminal.
    #[arg(long)]
    pub(crate) no_mouse: bool,
    /// Only print the servers that are announced on this network, one a line: name, address:port, the certificate's SHA-256,
    /// doors, with tabs between them. Exit code 1 when there are none.
    #[arg(long, conflicts_with_all = ["addresses", "nick", "rooms", "invitation", "account"])]
    pub(crate) list: bool,
}

/// Which server, and who comes in: the same for `say`, `tail`, `search` and `export`.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// The server: host or host:port.
    #[arg(long, value_name = "ADDRESS", env = "CHINWAG_ADDRESS", default_value = "127.0.0.1:55555")]
    pub(crate) address: String,
    /// The nickname; another one like it where it is taken [default: the account, or your name on this machine].
    #[arg(long, value_name = "NAME", env = "CHINWAG_NICK")]
    pub(crate) nick: Option<String>,
    #[command(flatten)]
    pub(crate) proof: ProofArgs,
    /// Use TLS [default: except on this machine].
    #[arg(long, conflicts_with = "plaintext")]
    pub(crate) tls: bool,
    /// Do without TLS: everybody on the way can read.
    #[arg(long)]
    pub(crate) plaintext: bool,
    /// For how long a server that is lost is waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    pub(crate) patience: u32,
}

/// Whose account it is: the same for `join`, `say`, `tail`, `search` and `export`.
#[derive(Debug, Args)]
pub(crate) struct ProofArgs {
    /// The account; its password comes by CHINWAG_PASSWORD or --password-file, and join asks for it otherwise.
    #[arg(long, value_name = "NAME", env = "CHINWAG_ACCOUNT")]
    pub(crate) account: Option<String>,
    /// A file whose first line is the account's password.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

/// `chinwag say`
#[derive(Debug, Args)]
pub(crate) struct SayArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) words: words::Say,
}

/// `chinwag tail`
#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) words: words::Tail,
}

/// `chinwag search`
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) words: words::Search,
}

/// `chinwag export`
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    /// The rooms, or nicknames of people you have talked to; with --data rooms only, and none is all of them.
    #[arg(required_unless_present = "data", value_name = "ROOM")]
    pub(crate) rooms: Vec<String>,
    /// The data folder: everything that was said is read from there, and no server is asked.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["address", "nick", "account", "password_file", "tls", "plaintext"])]
    pub(crate) data: Option<PathBuf>,
    /// With --data: only what was said with this account.
    #[arg(long = "said-by", value_name = "ACCOUNT", requires = "data")]
    pub(crate) said_by: Option<String>,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = ExportFormat::Jsonl)]
    pub(crate) format: ExportFormat,
    /// Where to [default: standard output].
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// One JSON object a line.
    Jsonl,
    /// For people.
    Text,
    /// A page for a browser.
    Html,
}

/// `chinwag backup`
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The new file, or a folder for it.
    #[arg(value_name = "DIR|FILE")]
    pub(crate) to: PathBuf,
    /// The folder where everything is kept [default: the platform's data folder].
    #[arg(long, value_name = "DIR", env = "CHINWAG_DATA")]
    pub(crate) data: Option<PathBuf>,
}

/// `chinwag doctor`
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The folder where everything is kept [default: the platform's data folder].
    #[arg(long, value_name = "DIR", env = "CHINWAG_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// The server's file of settings.
    #[arg(long, value_name = "FILE", env = "CHINWAG_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Print a JSON array of what was found, for programs: weight (fine, look, bad), about, sentence.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `chinwag restore`
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// What `chinwag backup` wrote.
    pub(crate) file: PathBuf,
    /// The folder that becomes what it was [default: the platform's data folder].
    #[arg(long, value_name = "DIR", env = "CHINWAG_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Replace what is kept there now; its database becomes a snapshot.
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Only say what is in it, and whether it is whole.
    #[arg(long, conflicts_with = "overwrite")]
    pub(crate) check: bool,
}

/// `chinwag rollback`
#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The snapshot, as --list names it [default: the newest from before a change of form].
    pub(crate) name: Option<String>,
    /// The folder where everything is kept [default: the platform's data folder].
    #[arg(long, value_name = "DIR", env = "CHINWAG_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Print the snapshots.
    #[arg(long)]
    pub(crate) list: bool,
    /// Really do it.
    #[arg(long)]
    pub(crate) yes: bool,
}

/// `chinwag import`
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The files, or folders of them.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// What they are.
    #[arg(long, value_enum, default_value_t = ImportFormat::Jsonl)]
    pub(crate) format: ImportFormat,
    /// The room for all of it [default: the rooms that the files name].
    #[arg(long, value_name = "ROOM")]
    pub(crate) into: Option<String>,
    /// The folder where everything is kept; made when it is not there [default: the platform's data folder].
    #[arg(long, value_name = "DIR", env = "CHINWAG_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// The server's file of settings, for what is chosen when the data folder is made.
    #[arg(long, value_name = "FILE", env = "CHINWAG_CONFIG")]
    pub(crate) config: Option<PathBuf>,
}

/// What an import is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    /// What chinwag export wrote.
    Jsonl,
    /// Logs of WeeChat.
    Weechat,
    /// Logs of irssi.
    Irssi,
    /// Logs of ZNC's module log.
    Znc,
    /// Slack's export, unpacked.
    Slack,
    /// JSON of DiscordChatExporter.
    Discord,
}

/// `chinwag config …`
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether a configuration file is fine, and if not, in which line and what to write instead.
    Check {
        /// The file.
        file: PathBuf,
    },
}

/// `chinwag account …`
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    /// The folder where everything is kept [default: the platform's data folder].
    #[arg(long, value_name = "DIR", env = "CHINWAG_DATA", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: AccountCommand,
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Make an account; the password is the first line of standard input. The data folder is made when it is not
    /// there.
    Add {
        /// Its name.
        name: String,
        /// The server's file of settings, for what is chosen when the data folder is made.
        #[arg(long, value_name = "FILE", env = "CHINWAG_CONFIG")]
        config: Option<PathBuf>,
    },
    /// Give an account another password, the first line of standard input.
    Password {
        /// Its name.
        name: String,
    },
    /// Print the names of all accounts, one a line.
    List,
    /// End an account: its name is free.
    Remove {
        /// Its name.
        name: String,
    },
    /// Remove for good what was ever said with an account, in rooms and conversations; also with one that is no more.
    /// What stays, stands under no name. First says how much it is; --yes does it.
    Erase {
        /// Its name.
        name: String,
        /// Do it.
        #[arg(long)]
        yes: bool,
    },
}

/// `chinwag serve`
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; may be given more than once, and replaces the listeners of the configuration. Port 0 lets
    /// the system choose; unix:/path is a socket in the file system [default: 127.0.0.1:55555].
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Vec<Address>,
    /// The folder where everything is kept; made when it is not there [default: the platform's data folder, on
    /// Linux ~/.local/share/chinwag].
    #[arg(long, value_name = "DIR", env = "CHINWAG_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// A file of settings; `chinwag config` prints one to begin with.
    #[arg(long, value_name = "FILE", env = "CHINWAG_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// What to log on standard error: error, warn, info, debug, trace, or parts of it (chinwag_server=debug).
    #[arg(long, value_name = "LEVEL", env = "CHINWAG_LOG", default_value = "info")]
    pub(crate) log: String,
    /// How to log.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, env = "CHINWAG_LOG_FORMAT")]
    pub(crate) log_format: LogFormat,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}
