//! Slows down guessing: each sign-in for a name that fails doubles the wait before the next is looked at. How often one has failed is
//! kept in the store ([`count_sign_in`](crate::storage::Store::count_sign_in)), so that guessing at one central counts at all.

use clearance::ids::UtcMillis;

/// Failures before the waiting begins.
const FREE: i64 = 3;

/// The longest wait, as a power of two of seconds: 256 s.
const LONGEST: i64 = 8;

/// Milliseconds until a sign-in is looked at again after so many failures, the last of them `at`; 0: now.
pub(crate) fn wait_ms(failures: i64, at: UtcMillis, now: UtcMillis) -> i64 {
    if failures < FREE {
        return 0;
    }
    (at.0 + (1000 << (failures - FREE).min(LONGEST)) - now.0).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_gets_slower_to_an_end() {
        let waits: Vec<_> = (0..20).map(|failures| wait_ms(failures, UtcMillis(0), UtcMillis(0))).collect();
        assert_eq!(waits[..6], [0, 0, 0, 1_000, 2_000, 4_000]);
        assert_eq!(waits[19], 256_000);
        assert_eq!(wait_ms(5, UtcMillis(0), UtcMillis(3_999)), 1);
        assert_eq!(wait_ms(5, UtcMillis(0), UtcMillis(4_000)), 0);
        assert_eq!(wait_ms(i64::MAX, UtcMillis(0), UtcMillis(256_000)), 0);
    }
}
