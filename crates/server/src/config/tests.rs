//! The default file is true, and errors say where and what to write instead.

use super::*;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("c.toml")).map_err(|error| error.to_string())
}

#[test]
fn the_default_file_says_what_the_code_does() {
    assert_eq!(parse(DEFAULT_TOML).unwrap(), Config::default());
    assert_eq!(parse("").unwrap(), Config::default());
}

#[test]
fn the_default_file_has_every_key() {
    // Keys without a default stand there as comments; with the comment sign taken away they are understood.
    let text = DEFAULT_TOML.replace("# password = \"a", "password = \"a").replace("# icon =", "icon =");
    let text = text.replace("# tls_", "tls_");
    let config = parse(&text).unwrap();
    assert_eq!(config.server.password.as_deref(), Some("a long sentence"));
    assert!(config.listeners.0[0].tls_cert.is_some() && config.listeners.0[0].tls_key.is_some());
    let keys = nearest::known_keys();
    assert_eq!(config.server.icon.as_deref(), Some("https://example.org/icon.svg"));
    let sections: std::collections::BTreeSet<&str> = keys.iter().map(|(section, _)| *section).collect();
    assert!(sections.len() > 15, "{sections:?}");
    for section in sections.into_iter().chain([""]) {
        let header = match section {
            "" => String::new(),
            "listener" | "oper" | "webirc" => format!("[[{section}]]\n"),
            _ => format!("[{section}]\n"),
        };
        // What is said of a key that does not exist names those that do.
        let error = toml::from_str::<Config>(&format!("{header}no_such_key = 1\n")).unwrap_err();
        for key in error.message().split('`').skip(3).step_by(2) {
            let found = if section.is_empty() {
                DEFAULT_TOML.contains(&format!("[{key}]"))
            } else {
                keys.contains(&(section, key))
            };
            assert!(found, "{key} of [{section}] is not in the default file");
        }
    }
}

#[test]
fn settings_default_is_the_same_as_the_files() {
    let (mut ours, core) = (Config::default().settings(""), Settings::default());
    // The chat alone listens nowhere.
    let listeners = std::mem::take(&mut ours.listeners);
    assert_eq!(
        listeners.iter().map(|listener| &**listener).collect::<Vec<_>>(),
        ["127.0.0.1:55555 (every door, TLS or not)"]
    );
    assert_eq!(format!("{ours:?}"), format!("{core:?}"));
}

#[test]
fn errors_name_line_and_nearest_key() {
    for (text, expected) in [
        (
            "[limits]\nnick_lenght = 9\n",
            "c.toml:2: unknown key \"nick_lenght\" in [limits]; did you mean \"nick_length\"?",
        ),
        (
            "[server]\n\nnick_length = 9\n",
            "c.toml:3: \"nick_length\" belongs in the section [limits], not in [server]",
        ),
        ("motd = \"x\"\n", "c.toml:1: \"motd\" belongs in the section [server]"),
        ("[servr]\nname = \"a.b\"\n", "c.toml:1: there is no section [servr]; did you mean [server]?"),
        (
            "[[listener]]\naddress = \"127.0.0.1:1\"\nkind = \"irk\"\n",
            "c.toml:3: \"irk\" is not known here; known are \"any\", \"plain\", \"irc\", \"web\", \"websocket\", \
             \"ssh\"",
        ),
        (
            "[[listener]]\naddress = \"127.0.0.1:1\"\nknd = \"irc\"\n",
            "c.toml:3: unknown key \"knd\" in [listener]; did you mean \"kind\"?",
        ),
        (
            "[throttle]\n\nexempt = [\"here\"]\n",
            "c.toml:3: \"here\" is no address and no network (10.0.0.0/8)",
        ),
        ("[limits]\n\nnick_length = 900\n", "c.toml:3: nick_length = 900 must be from 1 to 128"),
        (
            "[server]\nlobby = \"lobby\"\n",
            "c.toml:2: lobby = \"lobby\" is not a room name (it begins with #)",
        ),
        (
            "[relaymsg]\nseparators = \"-\"\n",
            "c.toml:2: separators must be one or more of the characters /~%=()",
        ),
        (
            "[server]\nicon = \"a b\"\n",
            "c.toml:2: icon must be an address (https://…) of at most 250 bytes without spaces",
        ),
        (
            "[server]\nclient_tags_denied = [\"a\", \"*\"]\n",
            "c.toml:2: client_tags_denied must be up to five tags without their +; \"*\" only comes first",
        ),
        (
            "[server]\nname = \"a b\"\n",
            "c.toml:2: name must be one word of at most 63 bytes without any of :!@,*",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err(), expected);
    }
}

#[test]
fn errors_of_syntax_and_type_name_the_line() {
    for (text, start) in [
        ("[server]\nname = 5\n", "c.toml:2: "),
        ("[server]\n\nname\n", "c.toml:3: "),
        ("[[listener]]\naddress = \"here\"\n", "c.toml:2: "),
        ("[limits]\nnick_length = -1\n", "c.toml:2: "),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(start), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn sts_needs_a_certificate_and_sends_to_the_first_port_with_tls() {
    let error = parse("[server]\nsts_duration_seconds = 60\n").unwrap_err();
    assert!(error.starts_with("c.toml:2: sts_duration_seconds needs"), "{error}");
    let text = "[server]\nsts_duration_seconds = 60\n[[listener]]\naddress = \"[::]:6667\"\ntls = \"off\"\n\
                [[listener]]\naddress = \"[::]:6697\"\ntls_cert = \"a\"\ntls_key = \"b\"\n";
    assert_eq!(parse(text).unwrap().settings("").sts, Some(Sts { port: 6697, duration_seconds: 60 }));
}

#[test]
fn listeners_of_the_file_replace_the_default() {
    let config = parse("[[listener]]\naddress = \"[::]:6667\"\nkind = \"irc\"\n").unwrap();
    assert_eq!(config.listeners.0.len(), 1);
    assert_eq!(config.listeners.0[0].kind, Kind::Irc);
}

#[test]
fn what_is_not_built_may_be_off_and_not_on() {
    let off = "[metrics]\naddress = \"off\"\n";
    assert_eq!(parse(off).unwrap(), Config::default());
    let on = parse("[metrics]\naddress = \"127.0.0.1:9\"\n").unwrap();
    assert_eq!(on.metrics.address, Some(([127, 0, 0, 1], 9).into()));
    let wrong = parse("[metrics]\naddress = \"9\"\n").unwrap_err();
    assert!(wrong.contains("neither \"off\" nor an address"), "{wrong}");
    assert_eq!(
        parse("[server]\nident_lookup = true\n").unwrap_err(),
        "c.toml:2: asking hosts for the names of users is not built yet: leave ident_lookup = false"
    );
}
