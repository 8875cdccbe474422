//! Tasks that must not die: a panic costs one item, an end is followed by a new
//! beginning with a growing pause.

use std::future::Future;
use std::time::Duration;

use channels::RunError;

use crate::{Engine, Line};

const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_mins(1);

impl Engine {
    /// Runs a task to its end.
    pub(crate) fn supervise(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let handle = tokio::spawn(task);
        self.inner.tasks.spawn(async move {
            if let Err(error) = handle.await {
                tracing::error!(task.name = name, %error, "a task ended badly");
            }
        });
    }

    /// Runs a task until the gateway stops, beginning anew when it panics.
    pub(crate) fn supervise_restarting<F>(&self, name: &'static str, task: fn(Self) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let engine = self.clone();
        self.inner.tasks.spawn(async move {
            let mut pause = PAUSE_MIN;
            while !engine.inner.stop.is_cancelled() {
                match tokio::spawn(task(engine.clone())).await {
                    Ok(()) => pause = PAUSE_MIN,
                    Err(error) => {
                        tracing::error!(task.name = name, %error, "a task panicked");
                        metrics::counter!("task_panics_total", "task" => name).increment(1);
                    }
                }
                engine.pause(&mut pause).await;
            }
        });
    }

    /// Keeps a line connected until the gateway stops.
    pub(crate) fn supervise_line(&self, line: Line) {
        let engine = self.clone();
        self.inner.tasks.spawn(async move {
            let mut pause = PAUSE_MIN;
            while !engine.inner.stop.is_cancelled() {
                let channel = line.channel.clone();
                let (host, stop) = (engine.host(), engine.stopping());
                let run = tokio::spawn(async move { channel.run(host, stop).await });
                let error = match run.await {
                    Ok(Ok(())) => return,
                    Ok(Err(RunError(reason))) => reason,
                    Err(panic) => panic.to_string(),
                };
                tracing::error!(line.id = %line.id, %error, "a line lost its connection");
                engine.pause(&mut pause).await;
            }
        });
    }

    async fn pause(&self, pause: &mut Duration) {
        tokio::select! {
            () = tokio::time::sleep(*pause) => {}
            () = self.inner.stop.cancelled() => {}
        }
        *pause = (*pause * 2).min(PAUSE_MAX);
    }
}
