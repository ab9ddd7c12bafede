//! Every conversation, against the real binary over real sockets: the same files that run against the pure server.

use std::path::Path;
use std::sync::{Arc, Mutex};

use chinwag_testkit::conversation::{Carrier, Scene, Sockets, run_scene};
use chinwag_testkit::process::Process;
use chinwag_testkit::{configuration, conversations};

/// Scenes at the same time: most of them spend their time waiting.
const THREADS: usize = 4;

/// A scene with a server of its own.
fn run(name: &str, scene: &Scene, carrier: Carrier) -> Result<(), String> {
    let data = tempfile::tempdir().expect("a folder can be made");
    let binary = Path::new(env!("CARGO_BIN_EXE_chinwag"));
    let folder = data.path().to_owned();
    let config = data.path().join("chinwag.toml");
    std::fs::write(&config, configuration()).expect("a file can be written");
    let serve = move || Process::serve(binary, &folder, &[], &[("CHINWAG_CONFIG", &config)]);
    let mut server = Some(serve());
    let address = server.as_ref().expect("it was just started").address();
    let restart = move || {
        // Killed, not stopped: what was acknowledged survives that as well.
        server.take().expect("there is always one").kill();
        server.insert(serve()).address()
    };
    let mut sockets = Sockets::new(address, carrier, Some(Box::new(restart)));
    run_scene(name, scene, &mut sockets).map_err(|failure| failure.to_string())
}

#[test]
fn over_sockets() {
    run_all(Carrier::Tcp, |_| true);
}

/// Messages cannot carry parts of lines, nor lines that are longer than a message may be: that is said at the door
/// of frames, and tested there.
#[test]
fn over_websockets() {
    run_all(Carrier::WebSocket, |scene| scene.is_lines_of_irc(8191 + 512));
}

#[test]
fn over_tls() {
    run_all(Carrier::Tls, |scene| scene.is_lines_of_irc(usize::MAX));
}

fn run_all(carrier: Carrier, fits: impl Fn(&Scene) -> bool) {
    let only = std::env::var("CHINWAG_CONVERSATION").ok();
    let mut scenes = Vec::new();
    for script in conversations() {
        if only.as_ref().is_none_or(|only| script.name.contains(only.as_str())) {
            scenes.extend(script.scenes.into_iter().map(|scene| (script.name.clone(), scene)));
        }
    }
    scenes.retain(|(_, scene)| fits(scene));
    let count = scenes.len();
    assert!(count > 0, "there are conversations");
    let scenes = Arc::new(Mutex::new(scenes));
    let workers: Vec<_> = (0..THREADS)
        .map(|_| {
            let scenes = Arc::clone(&scenes);
            std::thread::spawn(move || {
                let mut failures = Vec::new();
                loop {
                    let next = scenes.lock().expect("nobody panics with it").pop();
                    let Some((name, scene)) = next else { return failures };
                    failures.extend(run(&name, &scene, carrier).err());
                }
            })
        })
        .collect();
    let failures: Vec<String> =
        workers.into_iter().flat_map(|worker| worker.join().expect("a scene panicked, see above")).collect();
    assert!(failures.is_empty(), "{} of {count} scenes failed\n{}", failures.len(), failures.join("\n"));
}
