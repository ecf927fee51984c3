//! Group commit: changes that wait for the writer share one transaction, and so one flush to the disk. Each still stands or
//! falls by itself (a savepoint), and is answered only when the transaction is durable.

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use super::{StorageError, Store, Write};

/// As many changes as one transaction takes; the others wait for the next.
const MOST: usize = 256;

/// As many as may wait; whoever comes later waits for a place.
const WAITING: usize = 1024;

/// A change of what is stored.
pub(crate) trait Change: Send + 'static {
    /// What it gives.
    type Done: Send + 'static;
    /// Why it may be refused.
    type Refused: Send + From<StorageError> + 'static;

    /// Carry it out. Refused, it leaves nothing behind.
    fn apply<'a>(self, write: &'a mut Write<'_>) -> BoxFuture<'a, Result<Self::Done, Self::Refused>>;
}

trait Job: Send {
    fn run<'a>(&'a mut self, write: &'a mut Write<'_>) -> BoxFuture<'a, bool>;
    /// Tell whoever waits; `failed` if the transaction was lost.
    fn answer(self: Box<Self>, failed: Option<&str>);
}

struct Pending<C: Change> {
    change: Option<C>,
    result: Option<Result<C::Done, C::Refused>>,
    answer: oneshot::Sender<Result<C::Done, C::Refused>>,
}

impl<C: Change> Job for Pending<C> {
    fn run<'a>(&'a mut self, write: &'a mut Write<'_>) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            let Some(change) = self.change.take() else { return false };
            let result = change.apply(write).await;
            let done = result.is_ok();
            self.result = Some(result);
            done
        })
    }

    fn answer(self: Box<Self>, failed: Option<&str>) {
        let lost = || Err(StorageError::Lost(failed.unwrap_or("it was not reached").to_owned()).into());
        let result = match (failed, self.result) {
            // What was refused is refused whatever became of the transaction.
            (_, Some(Err(refused))) => Err(refused),
            (None, Some(done)) => done,
            (_, _) => lost(),
        };
        // Nobody waits any more: the client went away.
        let _ = self.answer.send(result);
    }
}

/// Where changes are handed in.
#[derive(Clone)]
pub(super) struct Group(mpsc::Sender<Box<dyn Job>>);

impl Group {
    pub(super) fn channel() -> (Self, Jobs) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), Jobs(receiver))
    }
}

/// What was handed in.
pub(super) struct Jobs(mpsc::Receiver<Box<dyn Job>>);

impl Jobs {
    /// Carry changes out until nobody can hand any in.
    pub(super) async fn serve(mut self, store: Store) {
        let mut jobs = Vec::with_capacity(MOST);
        while self.0.recv_many(&mut jobs, MOST).await > 0 {
            let failed = together(&store, &mut jobs).await.err().map(|error| error.to_string());
            if let Some(error) = &failed {
                tracing::error!(error, changes = jobs.len(), "a transaction was lost");
            }
            for job in jobs.drain(..) {
                job.answer(failed.as_deref());
            }
        }
    }
}

async fn together(store: &Store, jobs: &mut [Box<dyn Job>]) -> Result<(), StorageError> {
    let mut write = store.write().await?;
    for job in jobs {
        let mark = write.savepoint().await?;
        if job.run(&mut write).await {
            write.keep().await?;
        } else {
            write.undo(mark).await?;
        }
    }
    write.commit().await
}

impl Store {
    /// Carry out a change, in one transaction with others that wait. It is durable when this returns.
    pub(crate) async fn change<C: Change>(&self, change: C) -> Result<C::Done, C::Refused> {
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Pending { change: Some(change), result: None, answer });
        let stopped = || StorageError::Lost("central is stopping".to_owned());
        self.group.0.send(job).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}
