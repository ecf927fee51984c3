//! The corpora that fuzzing has kept go through the decoders again: no panic, and no more of the heap than the input
//! allows. `tests/fuzz/run.sh` finds new inputs.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;

#[path = "../fuzz/src/corpus.rs"]
mod corpus;
#[path = "../fuzz/src/targets.rs"]
mod targets;

#[test]
fn no_kept_input_panics_a_decoder_or_costs_it_more_than_its_length_allows() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus"));
    for target in &targets::TARGETS {
        let inputs = corpus::load(folder, target.name).unwrap_or_else(|error| {
            panic!("{}: {error}", corpus::file(folder, target.name).display());
        });
        assert!(!inputs.is_empty(), "{}: tests/fuzz/run.sh keeps a corpus", target.name);
        for input in &inputs {
            // What panics prints this too: the input is one line of the corpus.
            println!("{} {}", target.name, corpus::line(input));
            target.feed(input).unwrap_or_else(|why| panic!("{why}"));
        }
    }
}

#[test]
fn long_inputs_cost_no_more_than_their_length_allows() {
    for target in &targets::TARGETS {
        for byte in [0x00, 0x61, 0x80, 0x81, 0x9f, 0xff, b'[', b'"', b'a', b'='] {
            let input = vec![byte; 100_000];
            target.feed(&input).unwrap_or_else(|why| panic!("{byte:#x}: {why}"));
        }
    }
}
