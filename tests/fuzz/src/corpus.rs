//! Corpora as they are kept: a file for each target, a line of hexadecimal digits for each input, shortest first.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The kept inputs of a target, in `folder`.
pub(crate) fn load(folder: &Path, target: &str) -> std::io::Result<Vec<Vec<u8>>> {
    let text = std::fs::read_to_string(file(folder, target))?;
    text.lines()
        .map(|line| {
            bytes(line).ok_or_else(|| std::io::Error::other(format!("no hexadecimal digits: {line}")))
        })
        .collect()
}

/// Where the kept inputs of a target lie.
pub(crate) fn file(folder: &Path, target: &str) -> PathBuf {
    folder.join(format!("{target}.hex"))
}

/// An input as it is kept.
pub(crate) fn line(input: &[u8]) -> String {
    input.iter().fold(String::new(), |mut line, byte| {
        let _ = write!(line, "{byte:02x}");
        line
    })
}

fn bytes(line: &str) -> Option<Vec<u8>> {
    let pairs = line.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|p| p.len() == 2)?, 16).ok())
        .collect()
}
