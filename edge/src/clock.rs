//! The one place that asks the system for the time.

use clearance::ids::UtcMillis;

/// Now, by the system's clock. A clock before 1970 or after the year 292 million reads as the nearest representable time.
pub fn utc_now() -> UtcMillis {
    UtcMillis(jiff::Timestamp::now().as_millisecond())
}
