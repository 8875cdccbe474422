//! An operation that waits for the writer, and whoever waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::{StoreError, Tx};

pub(crate) struct Job {
    /// Comes to the same when it is undone and run again.
    pub(crate) repeatable: bool,
    op: Box<dyn Operation>,
}

type Answered<T, E> = oneshot::Receiver<Result<T, E>>;

impl Job {
    /// One that is run once, behind a savepoint of its own.
    pub(crate) fn once<T, E>(
        op: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> (Self, Answered<T, E>)
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let mut op = Some(op);
        let op = move |tx: &mut Tx<'_>| match op.take() {
            Some(op) => op(tx),
            None => Err(StoreError::Broken("an operation was run twice".to_owned()).into()),
        };
        Self::new(false, op)
    }

    /// One that shares a savepoint with others, which is far cheaper: SQLite keeps a
    /// copy of every page that is changed behind one.
    pub(crate) fn repeatable<T, E>(
        op: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> (Self, Answered<T, E>)
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        Self::new(true, op)
    }

    fn new<T, E>(
        repeatable: bool,
        op: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> (Self, Answered<T, E>)
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let op = Box::new(Asked {
            op,
            result: None,
            answer,
        });
        (Self { repeatable, op }, answered)
    }

    /// Runs it; false when what it did is to be undone.
    pub(crate) fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        self.op.run(tx)
    }

    /// Tells whoever waits what came of it.
    pub(crate) fn answer(self, committed: Result<(), StoreError>) {
        self.op.answer(committed);
    }
}

trait Operation: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Asked<Op, T, E> {
    op: Op,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<Op, T, E> Operation for Asked<Op, T, E>
where
    Op: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        // A panic undoes this operation alone; what it touched in memory is undone
        // with it.
        let result = catch_unwind(AssertUnwindSafe(|| (self.op)(tx)))
            .unwrap_or_else(|_| Err(StoreError::Panicked.into()));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) => result,
            (Ok(()), None) => Err(StoreError::Broken("an operation was not run".to_owned()).into()),
            (Err(error), _) => Err(error.into()),
        };
        // Nobody waits any more when the caller has gone: the work is done all the
        // same.
        let _ = self.answer.send(result);
    }
}
