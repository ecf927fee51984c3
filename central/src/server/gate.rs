//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Limits, block};

/// Counts connections over every port.
#[derive(Debug)]
pub struct Gate {
    seats: Arc<Semaphore>,
    most_per_address: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    gate: Arc<Gate>,
    block: IpAddr,
    _seat: OwnedSemaphorePermit,
}

impl Gate {
    /// A gate through which as many may go as the limits say.
    pub fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            seats: Arc::new(Semaphore::new(limits.connections)),
            most_per_address: limits.connections_per_address,
            taken: Mutex::default(),
        })
    }

    /// Room for one more connection, as soon as there is.
    pub(super) async fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).acquire_owned().await.ok()
    }

    /// A place for a connection from this address; none if it has too many already.
    pub(super) fn admit(gate: &Arc<Self>, from: IpAddr, seat: OwnedSemaphorePermit) -> Option<Place> {
        let block = block(from);
        let mut taken = gate.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(block).or_insert(0);
        if *count >= gate.most_per_address {
            tracing::debug!(%from, "has too many connections");
            return None;
        }
        *count += 1;
        Some(Place { gate: Arc::clone(gate), block, _seat: seat })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.gate.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.block) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.block);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_has_so_many_places_and_a_network_of_ipv6_counts_as_one() {
        let gate = Gate::new(&Limits { connections: 4, connections_per_address: 2, ..Limits::default() });
        let admit = async |from: &str| {
            let seat = gate.seat().await.unwrap();
            Gate::admit(&gate, from.parse().unwrap(), seat)
        };
        let first = admit("10.0.0.1").await;
        let second = admit("::ffff:10.0.0.1").await;
        assert!(first.is_some() && second.is_some());
        assert!(admit("10.0.0.1").await.is_none(), "two are enough");
        drop(first);
        let (third, six) = (admit("10.0.0.1").await, admit("2001:db8::1").await);
        assert!(third.is_some() && six.is_some());
        let seven = admit("2001:db8::2").await;
        assert!(seven.is_some());
        assert!(gate.seats.try_acquire().is_err(), "all four are taken");
        drop((second, third, seven));
        let (eight, nine) = (admit("2001:db8::3").await, admit("2001:db8::4").await);
        assert!(eight.is_some() && nine.is_none(), "one network");
        drop((six, eight));
        assert!(gate.taken.lock().unwrap().is_empty());
    }
}
