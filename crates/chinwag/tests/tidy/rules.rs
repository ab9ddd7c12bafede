//! The rules for one file. Each gives back its offenders as `path:line: what is wrong, what to do`.

use super::source::{Source, find_all, words};

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 600;

/// Crates whose `src` opens no file or socket, reads no clock and no random source.
pub const PURE: [&str; 5] = ["wire", "core", "log", "node", "client"];

/// Where a file stands in the workspace, read from its path (`crates/wire/src/line.rs`).
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub path: &'a str,
}

impl Place<'_> {
    /// The whole file is for tests: nothing of it is in a program that people run.
    fn is_test(self) -> bool {
        let mut parts = self.path.split('/');
        let in_folder = parts.clone().any(|part| part == "tests" || part == "testkit");
        // `conformance.rs` is a suite of tests that other crates' tests call.
        let is_suite =
            |name: &str| name == "tests.rs" || name == "conformance.rs" || name.ends_with("_tests.rs");
        in_folder || parts.next_back().is_some_and(is_suite)
    }

    fn is_pure(self) -> bool {
        !self.is_test() && PURE.iter().any(|name| self.path.starts_with(&format!("crates/{name}/src/")))
    }
}

/// Every offence of one file.
pub fn check(place: Place<'_>, text: &str) -> Vec<String> {
    let source = Source::new(text);
    let mut found = Vec::new();
    let mut offence = |line: usize, what: String| found.push(format!("{}:{line}: {what}", place.path));
    if !text.starts_with("//!") {
        offence(1, "does not open with `//!`: say what lives here".into());
    }
    for function in source.functions().into_iter().filter(|f| f.lines > FUNCTION_LINES_MAX) {
        let (name, lines) = (function.name, function.lines);
        offence(
            function.line,
            format!("`{name}` has {lines} lines, {FUNCTION_LINES_MAX} are allowed: split it"),
        );
    }
    let lines = source.lines_without_tests();
    if !place.is_test() && lines > FILE_LINES_MAX {
        offence(1, format!("{lines} lines without tests, {FILE_LINES_MAX} are allowed: split the file"));
    }
    for (at, word) in unfinished(&source) {
        offence(source.line_at(at), format!("`{word}`: finish it, or open an issue and name it"));
    }
    if !place.is_test() {
        for (at, what) in careless(&source) {
            offence(source.line_at(at), what.into());
        }
    }
    if place.is_pure() {
        for (at, what) in impure(&source) {
            offence(source.line_at(at), format!("`{what}` in a pure crate: make it an argument"));
        }
    }
    found
}

fn unfinished(source: &Source) -> Vec<(usize, &'static str)> {
    let in_comments = ["TODO", "FIXME", "XXX"]
        .into_iter()
        .flat_map(|word| words(&source.comments, word).into_iter().map(move |at| (at, word)));
    let in_code = ["todo", "unimplemented"].into_iter().flat_map(|word| {
        let called = |at: &usize| source.code.get(at + word.len()) == Some(&b'!');
        source.words(word).into_iter().filter(called).map(move |at| (at, word))
    });
    in_comments.chain(in_code).collect()
}

fn careless(source: &Source) -> Vec<(usize, &'static str)> {
    let unwrap = find_all(&source.code, b".unwrap()").into_iter();
    // The message is blank in the code, so it is looked for in the text.
    let expect = find_all(source.text.as_bytes(), b".expect(\"\")").into_iter();
    let unwrap = unwrap.map(|at| {
        (at, "`unwrap()` outside tests: handle it, or `expect` with the reason why it cannot fail")
    });
    let expect = expect.map(|at| (at, "`expect` without the reason why it cannot fail"));
    let real = |(at, _): &(usize, &str)| source.code[*at] == b'.' && !source.is_test(*at);
    unwrap.chain(expect).filter(real).collect()
}

/// Names of the outside world. Single words are enough: nothing in a pure crate needs to be called that.
const WORLD: [&str; 22] = [
    "SystemTime",
    "Instant",
    "UNIX_EPOCH",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "UnixListener",
    "ToSocketAddrs",
    "File",
    "OpenOptions",
    "RandomState",
    "DefaultHasher",
    "tokio",
    "mio",
    "rusqlite",
    "rand",
    "getrandom",
    "println",
    "eprintln",
    "thread_rng",
    "async_std",
];
const WORLD_MODULES: [&str; 6] = ["fs", "env", "process", "thread", "io", "os"];

fn impure(source: &Source) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for word in WORLD {
        found.extend(source.words(word).into_iter().map(|at| (at, word.to_owned())));
    }
    for module in WORLD_MODULES {
        found.extend(
            find_all(&source.code, format!("std::{module}").as_bytes())
                .into_iter()
                .filter(|at| !part_of_word(source, at + 5 + module.len()))
                .map(|at| (at, format!("std::{module}"))),
        );
    }
    found.extend(grouped_imports(source));
    found.retain(|(at, _)| !source.is_test(*at));
    found
}

fn part_of_word(source: &Source, at: usize) -> bool {
    source.code.get(at).is_some_and(|&b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `use std::{fmt, fs}`: the modules inside the braces.
fn grouped_imports(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for start in find_all(&source.code, b"std::{") {
        let end =
            source.code[start..].iter().position(|&b| b == b';').map_or(source.code.len(), |n| start + n);
        for module in WORLD_MODULES {
            let inside = words(&source.code[start..end], module).into_iter().map(|at| start + at);
            // `std::{fmt::{self}, a::fs}` would be somebody else's `fs`.
            let top = inside.filter(|at| !source.code[..*at].ends_with(b"::"));
            found.extend(top.map(|at| (at, format!("std::{module}"))));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offences(path: &str, text: &str) -> String {
        check(Place { path }, text).join("\n")
    }

    fn finds(path: &str, text: &str, what: &str) {
        let found = offences(path, text);
        assert!(found.contains(what), "{what:?} is not reported for {text:?}: {found:?}");
    }

    fn clean(path: &str, text: &str) {
        assert_eq!(offences(path, text), "", "for {text:?}");
    }

    #[test]
    fn long_functions_and_files_are_found() {
        let long = |lines: usize| format!("//! x\nfn long() {{\n{}}}\n", "    a();\n".repeat(lines - 2));
        finds("crates/core/src/a.rs", &long(71), "a.rs:2: `long` has 71 lines");
        clean("crates/core/src/a.rs", &long(70));
        finds(
            "crates/core/src/a.rs",
            &format!("//! x\n{}", "a!();\n".repeat(600)),
            "601 lines without tests",
        );
        clean("crates/core/src/a.rs", &format!("//! x\n{}", "a!();\n".repeat(599)));
        clean("crates/core/src/a/tests.rs", &format!("//! x\n{}", "a!();\n".repeat(900)));
        clean(
            "crates/core/src/a.rs",
            &format!("//! x\n#[cfg(test)]\nmod tests {{\n{}}}\n", "a!();\n".repeat(900)),
        );
    }

    #[test]
    fn a_missing_first_paragraph_is_found() {
        finds("testkit/src/lib.rs", "use a;\n//! late\n", "lib.rs:1: does not open with `//!`");
    }

    #[test]
    fn what_is_unfinished_is_found() {
        finds("benches/src/a.rs", "//! x\n// TODO: more\n", "a.rs:2: `TODO`");
        finds("benches/src/a.rs", "//! x\nfn a() { todo!() }\n", "`todo`");
        clean("benches/src/a.rs", "//! x\nfn a() { say(\"TODO\"); todo_list() }\n");
    }

    #[test]
    fn unwraps_outside_tests_are_found() {
        finds("crates/server/src/a.rs", "//! x\nfn a() { b().unwrap(); }\n", "a.rs:2: `unwrap()`");
        finds("crates/server/src/a.rs", "//! x\nfn a() { b().expect(\"\"); }\n", "`expect` without");
        clean("crates/server/src/a.rs", "//! x\nfn a() { b().expect(\"never empty\"); b().unwrap_or(1); }\n");
        clean(
            "crates/server/src/a.rs",
            "//! x\n//! `b().unwrap()` is bad\n#[test]\nfn a() { b().unwrap(); }\n",
        );
        clean("crates/server/tests/a.rs", "//! x\nfn a() { b().unwrap(); }\n");
    }

    #[test]
    fn the_world_is_found_in_pure_crates_only() {
        for text in [
            "//! x\nuse std::time::{Duration, Instant};\n",
            "//! x\nfn a() { std::fs::read(\"x\"); }\n",
            "//! x\nuse std::{fmt, fs};\n",
            "//! x\nuse std::net::TcpStream;\n",
            "//! x\nfn a() -> u8 { rand::random() }\n",
            "//! x\nfn a() { tokio::spawn(b()); }\n",
        ] {
            finds("crates/core/src/a.rs", text, "in a pure crate");
            clean("crates/server/src/a.rs", text);
            clean("crates/core/tests/a.rs", text);
        }
        clean(
            "crates/core/src/a.rs",
            "//! x\n// An Instant would be a clock.\nuse std::net::IpAddr;\nuse std::time::Duration;\n",
        );
        clean("crates/core/src/a.rs", "//! x\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n");
    }
}
