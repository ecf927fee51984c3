//! Central, its edges and the network, and what an op does to them.

use std::collections::BTreeSet;
use std::time::Duration;

use clearance::ids::{Digest, PassageId, SiteId};
use clearance::mark::RegistrationMark;
use clearance::merkle::{BucketSet, Buckets};
use clearance::publisher::{Moment, seal_delta, seal_grant, seal_snapshot};
use clearance::replicate::{Head, LeaseRequest};
use clearance::wire::Signer;

use super::CONVERGE_STEPS;
use super::central::{Central, Published};
use super::edge::Edge;
use super::mutation::Mutation;
use super::network::{Chance, Message, Network, ToEdge};
use super::oracle::{Invariant, Oracle, Violation};
use super::plan::{EDGES, Kind, MARKS, Op};

/// Between two looks of an edge at its clock.
const TICK: Duration = Duration::from_millis(250);

/// Messages that an eavesdropper keeps.
const OVERHEARD: usize = 200;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The first invariant that did not hold.
    pub violation: Option<Violation>,
    /// Steps of a quarter of a second from healing to convergence.
    pub converge_steps: u32,
    /// Gates opened.
    pub released: u32,
}

/// Everything.
pub struct World {
    now: Duration,
    sites: [SiteId; 2],
    central: Central,
    edges: Vec<Edge>,
    network: Network,
    oracle: Oracle,
    overheard: Vec<Vec<u8>>,
    attacker: Signer,
    /// Steps that a restore took away from central after it had acknowledged them.
    lost_by_restore: BTreeSet<(PassageId, u32)>,
}

fn mark(number: u8) -> RegistrationMark {
    format!("AB{}", 1000 + usize::from(number) % MARKS).parse().unwrap_or_else(|_| unreachable!("a mark"))
}

fn site(name: &str) -> SiteId {
    name.parse().unwrap_or_else(|_| unreachable!("a name"))
}

impl World {
    /// All is new and well; with a bug, if one is to be planted.
    pub fn new(mutation: Option<Mutation>) -> Self {
        let sites = [site("north"), site("south")];
        let (edge_key, attacker) = (Signer::from_secret(&[7; 32]), Signer::from_secret(&[66; 32]));
        let mut oracle = Oracle::default();
        let central = Central::new(&sites, &edge_key, mutation);
        central.tell(Duration::ZERO, &mut oracle);
        let edges = (0..EDGES)
            .map(|index| {
                let at = sites[usize::from(index == EDGES - 1)].clone();
                let key = Signer::from_secret(&[7; 32]);
                Edge::new(index, at, key, central.public(), attacker.public(), mutation)
            })
            .collect();
        let mut network = Network::default();
        network.doubled = 5;
        Self {
            now: Duration::ZERO,
            sites,
            central,
            edges,
            network,
            oracle,
            overheard: Vec::new(),
            attacker,
            lost_by_restore: BTreeSet::new(),
        }
    }

    /// The first invariant that did not hold.
    pub fn violation(&self) -> Option<Violation> {
        self.oracle.violation()
    }

    /// Gates opened so far.
    pub fn released(&self) -> u32 {
        self.oracle.released
    }

    /// One thing happens.
    pub fn act(&mut self, op: &Op) {
        let mut chance = Chance::new(op.salt);
        let c = &mut chance;
        match op.kind {
            Kind::Pass(millis) => self.pass(Duration::from_millis(u64::from(millis)), c),
            Kind::Put { site, mark: number, release } => {
                let site = self.sites[usize::from(site)].clone();
                if self.central.is_up(self.now) {
                    let put = self.central.put(self.now, &site, &mark(number), release, &mut self.oracle);
                    self.publish(put, c);
                }
            }
            Kind::Revoke { site, mark: number } => {
                let site = self.sites[usize::from(site)].clone();
                if self.central.is_up(self.now) {
                    let revoked = self.central.revoke(self.now, &site, &mark(number), &mut self.oracle);
                    self.publish(revoked, c);
                }
            }
            Kind::Truck { edge, mark: number, crash_after } => {
                let edge = &mut self.edges[usize::from(edge)];
                if let Some(writes) = crash_after {
                    edge.cut_after(writes);
                }
                edge.truck(self.now, &mark(number), c, &mut self.oracle);
            }
            Kind::Partition { edge } => {
                let edge = usize::from(edge);
                self.edges[edge].partitioned ^= true;
                self.network.drop_all(|m| matches!(m, Message::Up(e, _) | Message::Down(e, _) if *e == edge));
            }
            Kind::Loss(percent) => self.network.loss = percent,
            Kind::CrashEdge { edge } => self.edges[usize::from(edge)].restart(self.now, c),
            Kind::CrashAtWrite { edge, after } => self.edges[usize::from(edge)].cut_after(after),
            Kind::CrashCentral(millis) => {
                self.central.down_until = self.now + Duration::from_millis(u64::from(millis));
                self.network.drop_all(|_| true);
            }
            Kind::CrashCentralAfterCommit => self.central.dies_after_commit = true,
            Kind::FullDisk { edge } => self.edges[usize::from(edge)].toggle_full(),
            Kind::Rot { edge } => self.edges[usize::from(edge)].rot(),
            Kind::StoreFault { edge } => {
                self.edges[usize::from(edge)].store_fault(self.now, c, &mut self.oracle);
            }
            Kind::ClockJump { edge, seconds } => {
                self.edges[usize::from(edge)].wall_skew += i64::from(seconds) * 1000;
            }
            Kind::Backup => self.central.backup(),
            Kind::Restore => {
                // Bringing a copy back takes a while, during which central is away.
                let away = Duration::from_millis(500);
                self.central.down_until = self.central.down_until.max(self.now + away);
                self.network.drop_all(|_| true);
                self.pass(away, c);
                self.restore();
            }
            Kind::RotateKey => self.central.rotate_key(self.now, &mut self.oracle),
            Kind::Accept { edge } => self.accept(usize::from(edge)),
            Kind::Forge { edge } => self.forge(usize::from(edge), c),
            Kind::Replay { edge } => self.replay(usize::from(edge), false, c),
            Kind::Flip { edge } => self.replay(usize::from(edge), true, c),
        }
        for edge in &mut self.edges {
            edge.check(self.now, &mut self.oracle);
        }
    }

    fn restore(&mut self) {
        let before: BTreeSet<_> = self.central.steps().map(|(key, _)| *key).collect();
        self.central.restore(self.now, &mut self.oracle);
        let after: BTreeSet<_> = self.central.steps().map(|(key, _)| *key).collect();
        self.lost_by_restore.extend(before.difference(&after));
    }

    fn accept(&mut self, edge: usize) {
        let edge = &self.edges[edge];
        if let Some(why) = edge.quarantine()
            && self.central.is_up(self.now)
        {
            self.central.accept(self.now, &edge.site, &edge.id, why, &mut self.oracle);
        }
    }

    /// Time passes and messages arrive.
    fn pass(&mut self, time: Duration, chance: &mut Chance) {
        let end = self.now + time;
        while self.now < end {
            // Ticks fall on whole multiples, whatever steps lead there.
            let until = end.min(TICK * (self.now.as_millis() / TICK.as_millis() + 1) as u32);
            while let Some((at, message)) = self.network.arrival(until) {
                self.now = self.now.max(at);
                self.arrive(message, chance);
            }
            self.now = until;
            for index in 0..self.edges.len() {
                let up = self.central.is_up(self.now) && !self.edges[index].partitioned;
                self.edges[index].tick(self.now, up, chance, &mut self.oracle);
                if up
                    && self.edges[index].quarantine().is_some()
                    && let Some(sealed) = self.central.acceptance(&self.edges[index].id)
                {
                    self.down(index, ToEdge::Record(sealed), chance);
                }
                self.flush(index, chance);
                self.edges[index].check(self.now, &mut self.oracle);
            }
        }
    }

    /// Send what an edge wants to send.
    fn flush(&mut self, index: usize, chance: &mut Chance) {
        for message in std::mem::take(&mut self.edges[index].waiting) {
            if !self.edges[index].partitioned {
                self.network.send(self.now, Message::Up(index, message), chance);
            }
        }
    }

    fn down(&mut self, index: usize, message: ToEdge, chance: &mut Chance) {
        if let ToEdge::Record(sealed) = &message {
            if self.overheard.len() == OVERHEARD {
                let forgotten = chance.below(OVERHEARD);
                self.overheard.swap_remove(forgotten);
            }
            self.overheard.push(sealed.clone());
        }
        if !self.edges[index].partitioned {
            self.network.send(self.now, Message::Down(index, message), chance);
        }
    }

    fn publish(&mut self, published: Option<Published>, chance: &mut Chance) {
        let Some(Published { site, sealed }) = published else { return };
        for index in 0..self.edges.len() {
            if self.edges[index].site == site {
                self.down(index, ToEdge::Record(sealed.clone()), chance);
            }
        }
    }

    fn arrive(&mut self, message: Message, chance: &mut Chance) {
        match message {
            Message::Up(index, asked) => {
                if !self.central.is_up(self.now) {
                    return;
                }
                let site = self.edges[index].site.clone();
                let (answers, published) = self.central.answer(self.now, &site, asked, &mut self.oracle);
                for answer in answers {
                    self.down(index, answer, chance);
                }
                self.publish(published, chance);
            }
            Message::Down(index, message) => {
                let edge = &mut self.edges[index];
                match message {
                    ToEdge::Record(sealed) => edge.receive(self.now, &sealed, chance, &mut self.oracle),
                    ToEdge::SnapshotEnd => edge.snapshot_ended(self.now, chance, &mut self.oracle),
                    ToEdge::RangeEnd => {
                        edge.handle(self.now, clearance::follower::Event::RangeEnd, chance, &mut self.oracle);
                    }
                    ToEdge::Ack(number) => edge.acknowledged(number, chance),
                }
                self.flush(index, chance);
            }
        }
    }

    /// A record of the attacker's own making: well formed, and signed by nobody who counts.
    fn forge(&mut self, index: usize, chance: &mut Chance) {
        let edge = &self.edges[index];
        let head = edge.head();
        let directive = |mark: RegistrationMark| clearance::directive::Directive {
            movement: "forged".parse().unwrap_or_else(|_| unreachable!("a name")),
            mark,
            mainland_mark: None,
            action: clearance::directive::ActionCode::Release,
            window: clearance::directive::Window {
                from: clearance::ids::UtcMillis(i64::MIN),
                until: clearance::ids::UtcMillis(i64::MAX),
            },
            more: None,
        };
        // Somebody may have got hold of a key that central has given up.
        let stolen = self.central.retired().filter(|(_, serial)| edge.followed_keys() >= *serial);
        let signer = stolen.filter(|_| chance.percent(40)).map_or(&self.attacker, |(key, _)| key);
        let number = chance.below(MARKS) as u8;
        let sealed = match chance.below(3) {
            0 => {
                let op = clearance::replicate::DirectiveOp::Put(directive(mark(number)));
                seal_delta(signer, &edge.site, &head, vec![op]).bytes
            }
            1 => {
                let head = Head { revision: head.revision.next(), hash: Digest([9; 32]), ..head };
                let moment = Moment { head, root: Buckets::default().root(), before: vec![] };
                seal_snapshot(signer, &edge.site, &moment, BucketSet::ALL, &[]).remove(0)
            }
            _ => {
                let Some(nonce) = edge.asked() else { return };
                let request = LeaseRequest { site: edge.site.clone(), edge: edge.id.clone(), nonce };
                seal_grant(signer, request, &head, Buckets::default().root(), 600_000)
            }
        };
        self.intrude(index, &sealed, chance);
    }

    fn replay(&mut self, index: usize, flip: bool, chance: &mut Chance) {
        if self.overheard.is_empty() {
            return;
        }
        let mut sealed = self.overheard[chance.below(self.overheard.len())].clone();
        if flip {
            let at = chance.below(sealed.len());
            sealed[at] ^= 1 << chance.below(8);
            self.intrude(index, &sealed, chance);
        } else {
            // What was lost on its way and comes by another is what central said: it may well be of use.
            let edge = &mut self.edges[index];
            edge.receive(self.now, &sealed, chance, &mut self.oracle);
            self.flush(index, chance);
        }
    }

    /// Something arrives that must change nothing.
    fn intrude(&mut self, index: usize, sealed: &[u8], chance: &mut Chance) {
        let edge = &mut self.edges[index];
        // What time does by itself is not the intruder's doing.
        edge.handle(self.now, clearance::follower::Event::Tick, chance, &mut self.oracle);
        let before = edge.fingerprint();
        edge.receive(self.now, sealed, chance, &mut self.oracle);
        let after = edge.fingerprint();
        if before != after {
            self.oracle.violated(Invariant::TamperedWithEffect, format!("{before:?} became {after:?}"));
        }
        self.flush(index, chance);
    }

    /// Everything is mended; how many steps it takes until all is as it should be.
    pub fn heal(&mut self) -> u32 {
        self.network.loss = 0;
        self.network.doubled = 0;
        self.central.down_until = Duration::ZERO;
        self.central.dies_after_commit = false;
        self.edges.iter_mut().for_each(Edge::mend);
        let mut chance = Chance::new(1);
        for step in 1..=CONVERGE_STEPS {
            for index in 0..self.edges.len() {
                // Officers look after what waits for them, every few seconds.
                if step % 20 == 1 {
                    self.accept(index);
                }
            }
            self.pass(TICK, &mut chance);
            if self.oracle.violation().is_some() {
                return step;
            }
            if self.edges.iter().all(|edge| edge.is_settled(self.central.site(&edge.site).head)) {
                self.settle_accounts();
                return step;
            }
        }
        let told: Vec<String> = self.edges.iter().map(Edge::told).collect();
        let heads: Vec<_> = self.sites.iter().map(|site| self.central.site(site).head).collect();
        self.oracle.violated(Invariant::NotConverged, format!("central at {heads:?}; {}", told.join("; ")));
        CONVERGE_STEPS
    }

    fn settle_accounts(&mut self) {
        let central = &self.central;
        self.oracle.settled(|passage| central.counted(passage, 0) > 0);
        for edge in &self.edges {
            for (passage, step) in &edge.owed {
                let counted = self.central.counted(*passage, *step);
                if counted == 0 && !self.lost_by_restore.contains(&(*passage, *step)) {
                    self.oracle.violated(Invariant::PassageLost, format!("{passage} step {step}"));
                }
            }
        }
    }
}
