//! Whoever is told: systems that take webhooks, an adapter for SMS, a mail server. Real ones, on ports of their own, that can be made
//! to fail.

mod mail;
mod receiver;

pub(crate) use mail::MailServer;
pub(crate) use receiver::{Got, Plan, Receiver};

use std::time::Duration;

/// Ask until there is an answer; panics after a while.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1_200 {
        if let Some(answer) = ask().await {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited a minute for: {what}");
}

/// Base64, read with code of its own.
fn decode(base64: &str) -> Vec<u8> {
    let value = |digit: u8| match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("{base64}"),
    };
    let digits: Vec<u32> = base64.trim_end_matches('=').bytes().map(|b| u32::from(value(b))).collect();
    let four = |group: &[u32]| {
        let bits = group.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - group.len()));
        bits.to_be_bytes()[1..group.len()].to_vec()
    };
    digits.chunks(4).flat_map(four).collect()
}
