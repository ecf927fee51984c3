//! Where time comes from: injected, so that tests can set it.

use std::sync::Arc;

use clearance::ids::UtcMillis;

/// A clock.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> UtcMillis + Send + Sync>);

impl Clock {
    /// The system's.
    pub fn system() -> Self {
        Self(Arc::new(|| UtcMillis(jiff::Timestamp::now().as_millisecond())))
    }

    /// Any other.
    pub fn of(now: impl Fn() -> UtcMillis + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Now.
    pub fn now(&self) -> UtcMillis {
        (self.0)()
    }
}
