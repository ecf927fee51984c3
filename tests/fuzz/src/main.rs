//! The fuzzer: LLVM's, with one of [`targets`] as `FUZZ_TARGET` says. `run.sh` calls it; with `FUZZ_DO` it moves corpora
//! between folders, as the fuzzer wants them, and the files that are kept.
#![no_main]

mod corpus;
mod seeds;
mod targets;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use targets::{TARGETS, Target};

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fn word(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn start() {
    match word("FUZZ_DO").as_str() {
        "" => {}
        task => {
            let folder = PathBuf::from(word("FUZZ_FOLDER"));
            if let Err(error) = tend(task, &word("FUZZ_TARGET"), &folder) {
                eprintln!("fuzz: {}: {error}", folder.display());
                std::process::exit(2);
            }
            std::process::exit(0);
        }
    }
    let name = word("FUZZ_TARGET");
    let Some(target) = TARGETS.iter().find(|target| target.name == name) else {
        eprintln!("fuzz: FUZZ_TARGET={name:?} is no target; run.sh knows them");
        std::process::exit(2);
    };
    TARGET.get_or_init(|| target);
}

/// `names`, `unpack` into a folder, `pack` from a folder.
fn tend(task: &str, target: &str, folder: &Path) -> std::io::Result<()> {
    let kept = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/corpus"));
    match task {
        "names" => TARGETS.iter().for_each(|target| println!("{}", target.name)),
        "unpack" => {
            std::fs::create_dir_all(folder)?;
            let inputs = corpus::load(&kept, target).unwrap_or_default().into_iter().chain(seeds::of(target));
            for (number, input) in inputs.enumerate() {
                std::fs::write(folder.join(format!("kept-{number}")), input)?;
            }
        }
        "pack" => {
            let mut inputs = Vec::new();
            for item in std::fs::read_dir(folder)? {
                inputs.push(std::fs::read(item?.path())?);
            }
            inputs.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
            inputs.dedup();
            let lines: Vec<String> = inputs.iter().map(|input| corpus::line(input) + "\n").collect();
            std::fs::create_dir_all(&kept)?;
            std::fs::write(corpus::file(&kept, target), lines.concat())?;
        }
        other => return Err(std::io::Error::other(format!("FUZZ_DO={other} is nothing to do"))),
    }
    Ok(())
}

fuzz_target!(init: start(), |bytes: &[u8]| {
    if let Some(target) = TARGET.get() {
        if let Err(why) = target.feed(bytes) {
            panic!("{why}");
        }
    }
});
