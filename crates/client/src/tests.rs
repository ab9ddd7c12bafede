//! The client against lines that a test writes.

use crate::{BufferKind, Change, Client, LineKind, LineState, Link, Login, Profile, SayAs, Secret};

const CAPS: &str = "message-tags server-time batch labeled-response echo-message draft/chathistory";

/// What a client has written, a line each.
fn written(client: &mut Client) -> Vec<String> {
    let bytes = client.output();
    String::from_utf8(bytes).expect("the client writes UTF-8").lines().map(str::to_owned).collect()
}

fn hear(client: &mut Client, lines: &str) {
    for line in lines.lines() {
        client.receive(format!("{}\r\n", line.trim_start()).as_bytes(), 10);
    }
}

/// A client that is in, with the room `#tea`, on a server with these capabilities.
fn online(caps: &str) -> Client {
    let mut profile = Profile::new("ann", "irc.example.org");
    profile.rooms = vec!["#tea".into()];
    let mut client = Client::new(profile, 1);
    assert!(client.wants_link(0));
    client.opened(0);
    assert_eq!(written(&mut client), ["CAP LS 302", "NICK ann", "USER ann 0 * ann"]);
    hear(&mut client, &format!(":s CAP * LS :{caps}"));
    let asked = written(&mut client).join(" ");
    assert!(caps.split(' ').all(|cap| asked.contains(cap)), "{asked}");
    hear(&mut client, &format!(":s CAP * ACK :{caps}"));
    assert_eq!(written(&mut client), ["CAP END"]);
    hear(
        &mut client,
        ":s 001 ann :Welcome
         :s 005 ann NETWORK=Tea PREFIX=(qov)~@+ CHATHISTORY=50 :are supported by this server
         :s 422 ann :No message of the day",
    );
    assert!(matches!(client.link(), Link::Online { .. }));
    let asked = written(&mut client);
    assert_eq!(asked[0], "JOIN #tea");
    hear(&mut client, ":ann!~ann@host JOIN #tea\n:s 353 ann = #tea :@bob ann\n:s 366 ann #tea :End");
    client
}

#[test]
fn coming_in_and_saying_something() {
    let mut client = online(CAPS);
    let room = client.find("#TEA").unwrap();
    let asked = written(&mut client);
    assert_eq!(
        asked.iter().filter(|line| line.contains("CHATHISTORY LATEST #tea * 50")).count(),
        1,
        "{asked:?}"
    );
    let label = asked
        .iter()
        .find_map(|line| line.strip_prefix("@label=")?.strip_suffix(" CHATHISTORY LATEST #tea * 50"));
    hear(
        &mut client,
        &format!("@label={};draft/chathistory-end :s BATCH +h chathistory #tea", label.unwrap()),
    );
    hear(
        &mut client,
        "@batch=h;msgid=m1;time=2026-11-21T02:10:00.000Z :bob!b@h PRIVMSG #tea :before\n:s BATCH -h",
    );
    client.say(room, "hello", SayAs::Message, None, 20).unwrap();
    let lines = &client.buffer(room).unwrap().lines;
    assert_eq!(lines.iter().last().unwrap().state, LineState::Pending);
    let id = lines.iter().last().unwrap().id;
    let said = written(&mut client);
    let [tags, rest] = said[0].split_once(' ').map(|(tags, rest)| [tags, rest]).unwrap();
    assert_eq!(rest, "PRIVMSG #tea :hello");
    hear(&mut client, &format!("{tags};msgid=m2 :ann!~ann@host PRIVMSG #tea :hello"));
    let lines = &client.buffer(room).unwrap().lines;
    let line = lines.by_id(id).unwrap();
    assert_eq!((&line.state, line.msgid.as_deref()), (&LineState::Kept, Some("m2")));
    let said: Vec<&str> =
        lines.iter().filter(|line| line.kind.is_said()).map(|line| line.text.as_str()).collect();
    assert_eq!(said, ["before", "hello"]);
    let names: Vec<&str> = client.buffer(room).unwrap().members.iter().map(|member| &*member.nick).collect();
    assert_eq!(names, ["bob", "ann"]);
    assert_eq!(
        client.buffers().map(|buffer| buffer.kind).collect::<Vec<_>>(),
        [BufferKind::Server, BufferKind::Room]
    );
}

#[test]
fn a_refused_message_says_why() {
    let mut client = online(CAPS);
    let room = client.find("#tea").unwrap();
    let label = written(&mut client)
        .iter()
        .find_map(|line| Some(line.strip_prefix("@label=")?.split(' ').next()?.to_owned()));
    hear(
        &mut client,
        &format!("@label={} :s FAIL CHATHISTORY MESSAGE_ERROR LATEST #tea :Off", label.unwrap()),
    );
    client.say(room, "hello", SayAs::Message, None, 20).unwrap();
    let said = written(&mut client).remove(0);
    let tags = said.split(' ').next().unwrap();
    hear(&mut client, &format!("{tags} :s 404 ann #tea :Cannot send to channel"));
    let line = client.buffer(room).unwrap().lines.iter().last().unwrap().clone();
    assert!(matches!(line.state, LineState::Failed(why) if why.contains("Cannot send")));
    assert!(!client.is_busy());
}

#[test]
fn a_server_that_knows_nothing_is_enough() {
    let mut profile = Profile::new("ann", "irc.example.org");
    profile.rooms = vec!["#tea".into()];
    let mut client = Client::new(profile, 1);
    client.opened(0);
    written(&mut client);
    hear(&mut client, ":s 421 * CAP :Unknown command\n:s 001 ann :Welcome\n:s 376 ann :End of MOTD");
    assert_eq!(written(&mut client), ["JOIN #tea"]);
    hear(&mut client, ":ann!a@h JOIN #tea\n:bob!b@h PRIVMSG #tea :hi, ann!");
    written(&mut client);
    let room = client.find("#tea").unwrap();
    assert_eq!((client.buffer(room).unwrap().unread, client.buffer(room).unwrap().mentions), (1, 1));
    client.say(room, "two\nlines", SayAs::Message, None, 20).unwrap();
    let said = written(&mut client);
    assert_eq!([&said[0], &said[2]], ["PRIVMSG #tea :two", "PRIVMSG #tea :lines"]);
    let ping = said[1].strip_prefix("PING ").unwrap();
    assert_eq!(client.buffer(room).unwrap().lines.own().len(), 2);
    hear(&mut client, &format!(":s PONG s :{ping}"));
    assert_eq!(client.buffer(room).unwrap().lines.own().len(), 1);
    // The link breaks: whether the other line was heard cannot be known.
    client.closed("gone", 100);
    let Link::Waiting { until_ms, .. } = client.link() else { panic!("{:?}", client.link()) };
    let until_ms = *until_ms;
    assert!(client.wants_link(until_ms) && !client.wants_link(until_ms - 1));
    client.opened(until_ms);
    hear(&mut client, ":s 001 ann :Welcome\n:s 376 ann :End of MOTD\n:ann!a@h JOIN #tea");
    let own = client.buffer(room).unwrap().lines.own();
    assert!(matches!(&own[0].state, LineState::Failed(_)), "{own:?}");
    assert!(!written(&mut client).iter().any(|line| line.contains("lines")), "nothing is said twice");
}

#[test]
fn a_taken_nickname_asks_the_person() {
    let mut client = Client::new(Profile::new("ann", "irc.example.org"), 1);
    client.opened(0);
    hear(&mut client, ":s 433 * ann :Nickname is already in use");
    assert!(matches!(client.link(), Link::Refused { why } if why.contains("ann is taken")));
    assert!(client.wants_close());
    client.closed("closed", 5);
    assert!(!client.wants_link(1_000_000));
    client.nick("anna");
    assert!(client.wants_link(6));
    client.opened(6);
    assert!(written(&mut client).contains(&"NICK anna".to_owned()));
}

#[test]
fn a_wrong_password_asks_the_person_and_passwords_need_a_trusted_link() {
    let mut profile = Profile::new("ann", "irc.example.org");
    profile.login = Some(Login::Password { account: "ann".into(), password: Secret::new("sesame") });
    let mut client = Client::new(profile.clone(), 1);
    client.opened(0);
    hear(&mut client, ":s CAP * LS :sasl=PLAIN");
    hear(&mut client, ":s CAP * ACK :sasl");
    assert_eq!(written(&mut client).last().unwrap(), "AUTHENTICATE PLAIN");
    hear(&mut client, "AUTHENTICATE +");
    assert_eq!(written(&mut client), ["AUTHENTICATE YW5uAGFubgBzZXNhbWU="]);
    hear(&mut client, ":s 904 * :SASL authentication failed");
    assert!(matches!(client.link(), Link::Refused { why } if why.contains("password of ann")));
    profile.trusted_link = false;
    let mut client = Client::new(profile, 1);
    client.opened(0);
    assert!(matches!(client.link(), Link::Refused { why } if why.contains("TLS")));
    assert!(!format!("{client:?}").contains("sesame"));
}

#[test]
fn what_is_typed() {
    let mut client = online(CAPS);
    let (room, server) = (client.find("#tea").unwrap(), client.server_buffer());
    hear(&mut client, "@msgid=a;chinwag.internal/number=42 :bob!b@h PRIVMSG #tea :tea?");
    assert!(client.command(server, "hello", 1).unwrap_err().0.contains("/join"));
    assert!(client.command(room, "/re 43 yes", 1).unwrap_err().0.starts_with("43 is not"));
    assert!(client.command(room, "/join tea", 1).unwrap_err().0.contains("begin with #"));
    assert_eq!(client.command(room, "/re", 1).unwrap_err().0, "It is used like this: /re NUMBER TEXT");
    assert_eq!(client.command(room, "/quit bye", 1), Ok(crate::Done::Quit));
    assert_eq!(*client.link(), Link::Idle);
    assert!(crate::commands().is_sorted_by_key(|command| command.name));
    assert!(LineKind::Message.is_said());
}

#[test]
fn answers_to_what_is_asked_are_sentences() {
    let mut client = online(CAPS);
    let room = client.find("#tea").unwrap();
    written(&mut client);
    for (command, asked, answer, told) in [
        ("/who", "WHO", "352 ann * ~bob host s bob G@ :0 Bob B", "bob (~bob@host): Bob B, away"),
        ("/mode", "MODE #tea", "324 ann #tea +nt", "#tea has the modes +nt"),
        ("/version", "VERSION", "351 ann chat-1 s :a chat", "s runs chat-1: a chat"),
        ("/time", "TIME", "391 ann s 17 0 :Sunday", "Sunday"),
        ("/lusers", "LUSERS", "265 ann 2 3 :2 users, at most 3", "2 users, at most 3"),
        ("/list", "LIST", "322 ann #tea 2 :", "#tea  2 here"),
    ] {
        client.command(room, command, 1).unwrap();
        let label = label_of(&mut client, asked);
        hear(&mut client, &format!("@label={label} :s {answer}"));
        let line = client.buffer(room).unwrap().lines.iter().last().unwrap();
        assert_eq!((line.kind, &*line.text), (LineKind::Info, told), "{command}");
    }
}

/// The label of the one question that was asked with these words.
fn label_of(client: &mut Client, words: &str) -> String {
    let asked = written(client);
    let found =
        asked.iter().find(|line| line.ends_with(words)).unwrap_or_else(|| panic!("{words}: {asked:?}"));
    found.strip_prefix("@label=").unwrap().split(' ').next().unwrap().to_owned()
}

/// A page of history with messages of these names, one a second.
fn page(client: &mut Client, label: &str, seconds: std::ops::Range<u32>) {
    hear(client, &format!("@label={label} :s BATCH +p chathistory #tea"));
    for second in seconds {
        let time = format!("2026-11-21T02:00:{second:02}.000Z");
        hear(client, &format!("@batch=p;msgid=m{second};time={time} :bob!b@h PRIVMSG #tea :{second}"));
    }
    hear(client, ":s BATCH -p");
}

#[test]
fn a_page_that_comes_after_a_jump_is_not_mixed_into_what_is_shown() {
    let mut client = online(CAPS);
    let room = client.find("#tea").unwrap();
    let texts = |client: &Client| -> Vec<String> {
        client.buffer(room).unwrap().lines.iter().map(|line| line.text.clone()).collect()
    };
    let label = label_of(&mut client, "CHATHISTORY LATEST #tea * 50");
    page(&mut client, &label, 50..52);
    assert!(client.around(room, "m20", 20));
    let around = label_of(&mut client, "CHATHISTORY AROUND #tea msgid=m20 50");
    page(&mut client, &around, 20..22);
    // Both edges are being fetched when the person goes back to the newest.
    client.older(room, 30);
    client.newer(room, 30);
    let asked = client.output();
    let asked = String::from_utf8(asked).unwrap();
    let label = |what: &str| {
        let line = asked.lines().find(|line| line.contains(what)).unwrap();
        line.strip_prefix("@label=").unwrap().split(' ').next().unwrap().to_owned()
    };
    let (before, after) = (label("BEFORE"), label("AFTER"));
    client.latest(room, 40);
    let latest = label_of(&mut client, "CHATHISTORY LATEST #tea * 50");
    page(&mut client, &before, 18..20);
    page(&mut client, &after, 22..24);
    assert_eq!(texts(&client), [""; 0]);
    page(&mut client, &latest, 50..52);
    assert_eq!(texts(&client), ["50", "51"]);
    assert!(client.buffer(room).unwrap().at_end && client.is_synced(room));
}

/// The same client on a new link, as far as the end of its registration. What it asks then.
fn back(client: &mut Client, now: u64) -> Vec<String> {
    client.closed("gone", now);
    let Link::Waiting { until_ms, .. } = *client.link() else { panic!("{:?}", client.link()) };
    client.opened(until_ms);
    written(client);
    hear(client, &format!(":s CAP * LS :{CAPS}"));
    hear(client, &format!(":s CAP * ACK :{CAPS}"));
    written(client);
    hear(client, ":s 001 ann :Welcome\n:s 422 ann :No message of the day");
    written(client)
}

/// The label of the one line that gives a code.
fn label_of_the_code(asked: &[String]) -> String {
    let codes: Vec<&String> = asked.iter().filter(|line| line.contains("INVITATION")).collect();
    assert_eq!(codes.len(), 1, "{asked:?}");
    let (label, rest) = codes[0].split_once(' ').unwrap();
    assert_eq!(rest, "INVITATION amber-river");
    label.strip_prefix("@label=").unwrap().to_owned()
}

fn let_in(client: &mut Client, label: &str) {
    hear(
        client,
        &format!(
            "@label={label} :s BATCH +b labeled-response
             @batch=b :ann!~ann@host JOIN #den
             @batch=b :s 353 ann = #den :@bob ann
             @batch=b :s 366 ann #den :End
             :s BATCH -b"
        ),
    );
}

#[test]
fn the_room_of_an_invitation_is_shown_and_the_code_is_given_again_where_the_room_refuses_after_a_cut() {
    let mut client = online(CAPS);
    let here = client.find("#tea").unwrap();
    written(&mut client);
    client.changes();
    client.command(here, "/invitation amber river", 20).unwrap();
    let label = label_of_the_code(&written(&mut client));
    let_in(&mut client, &label);
    let den = client.find("#den").unwrap();
    assert!(client.changes().contains(&Change::Invited(den)));
    assert!(!format!("{client:?}").contains("amber"));
    // Where the room lets the person in again the code is not needed, and not used up.
    let asked = back(&mut client, 100);
    assert!(asked.contains(&"JOIN #den,#tea".to_owned()), "{asked:?}");
    assert!(!asked.join(" ").contains("INVITATION"), "{asked:?}");
    hear(&mut client, ":ann!~ann@host JOIN #tea\n:s 473 ann #den :Cannot join channel (+i)");
    let label = label_of_the_code(&written(&mut client));
    // It is tried once.
    hear(&mut client, ":s 473 ann #den :Cannot join channel (+i)");
    assert!(!written(&mut client).join(" ").contains("INVITATION"));
    // Gone before the answer.
    back(&mut client, 200);
    hear(&mut client, ":s 473 ann #den :Cannot join channel (+i)");
    client.changes();
    let again = label_of_the_code(&written(&mut client));
    assert_ne!(label, again);
    let_in(&mut client, &again);
    assert!(client.buffer(den).unwrap().joined);
    // Nobody gave it this time: what is in view stays in view.
    assert!(!client.changes().contains(&Change::Invited(den)));
    // What is taken no more is not given again.
    back(&mut client, 300);
    hear(&mut client, ":s 473 ann #den :Cannot join channel (+i)");
    let label = label_of_the_code(&written(&mut client));
    hear(
        &mut client,
        &format!("@label={label} :s FAIL INVITATION INVITATION_INVALID :That is no invitation"),
    );
    let buffer = client.buffer(den).unwrap();
    assert!(!buffer.wanted && buffer.lines.iter().any(|line| line.text.contains("ask for another one")));
    assert!(!back(&mut client, 400).join(" ").contains("INVITATION"));
}

#[test]
fn the_code_of_a_link_is_given_first_and_again_until_it_is_answered() {
    let mut profile = Profile::new("ann", "irc.example.org");
    profile.invitation = Some(Secret::new("amber-river"));
    let mut client = Client::new(profile, 1);
    client.opened(0);
    let asked = back(&mut client, 5);
    assert!(asked[0].contains("INVITATION"), "{asked:?}");
    let label = label_of_the_code(&back(&mut client, 10));
    let_in(&mut client, &label);
    let den = client.find("#den").unwrap();
    assert!(client.changes().contains(&Change::Invited(den)));
    // Who is inside already and gives it once more sees that room.
    client.command(client.server_buffer(), "/invitation amber-river", 20).unwrap();
    let label = label_of_the_code(&written(&mut client));
    let told = "NOTE INVITATION ALREADY_THERE #den :You are in #den already";
    hear(&mut client, &format!("@label={label} :s {told}"));
    assert!(client.buffer(den).unwrap().joined && client.changes().contains(&Change::Invited(den)));
}

#[test]
fn a_server_without_labels_answers_codes_in_its_order() {
    let mut client = online("message-tags server-time");
    let here = client.find("#tea").unwrap();
    written(&mut client);
    client.command(here, "/invitation amber-river", 20).unwrap();
    assert_eq!(written(&mut client), ["INVITATION amber-river"]);
    hear(&mut client, ":ann!~ann@host JOIN #den");
    let den = client.find("#den").unwrap();
    assert!(client.changes().contains(&Change::Invited(den)));
    client.command(here, "/invitation other", 20).unwrap();
    hear(
        &mut client,
        ":s FAIL INVITATION INVITATION_INVALID :That is no invitation\n:ann!~ann@host JOIN #attic",
    );
    let attic = client.find("#attic").unwrap();
    assert!(!client.changes().contains(&Change::Invited(attic)));
}
