//! Every conversation, against the pure server: on one node, and with its people spread over two.

use chinwag_log::memory::Faults;
use chinwag_testkit::conversation::run;
use chinwag_testkit::world::World;
use chinwag_testkit::{conversations, settings};

fn run_all(nodes: usize) {
    let only = std::env::var("CHINWAG_CONVERSATION").ok();
    let mut failures = Vec::new();
    let mut count = 0;
    for script in conversations() {
        if only.as_ref().is_some_and(|only| !script.name.contains(only.as_str())) {
            continue;
        }
        count += 1;
        if let Err(failure) = run(&script, || World::new(nodes, settings(), 0, Faults::default())) {
            failures.push(failure.to_string());
        }
    }
    assert!(count > 0, "there are conversations");
    assert!(failures.is_empty(), "{} of {count} failed\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn on_one_node() {
    run_all(1);
}

#[test]
fn spread_over_two_nodes() {
    run_all(2);
}
