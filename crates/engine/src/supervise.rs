//! Tasks that must not die: a panic costs one item, an end is followed by a new
//! beginning with a growing pause.

use std::future::Future;
use std::time::Duration;

use channels::RunError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::serving::Served;

const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// How long a line that is built anew waits for its connection before to end.
const LEAVE_MAX: Duration = Duration::from_secs(30);

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
                let begun = Instant::now();
                match tokio::spawn(task(engine.clone())).await {
                    Ok(()) => pause = PAUSE_MIN,
                    Err(error) => {
                        tracing::error!(task.name = name, %error, "a task panicked");
                        metrics::counter!("task_panics_total", "task" => name).increment(1);
                    }
                }
                pause_before(&engine.inner.stop, begun, &mut pause).await;
            }
        });
    }

    /// Keeps a line connected until it is to stop. `before` tells the end of the
    /// connection that it replaces: a provider may take only one at a time.
    pub(crate) fn supervise_line(&self, served: Served, before: Option<CancellationToken>) {
        let engine = self.clone();
        self.inner.tasks.spawn(async move {
            let _ended = served.ended.drop_guard();
            if let Some(before) = before
                && tokio::time::timeout(LEAVE_MAX, before.cancelled())
                    .await
                    .is_err()
            {
                let line = &served.line.id;
                tracing::warn!(line.id = %line, "a line's connection before did not end");
            }
            let mut pause = PAUSE_MIN;
            while !served.stop.is_cancelled() {
                let line = &served.line;
                let channel = line.channel.clone();
                let (host, stop) = (engine.host(), served.stop.clone());
                let begun = Instant::now();
                let run = tokio::spawn(async move { channel.run(host, stop).await });
                let error = match run.await {
                    Ok(Ok(())) => return,
                    Ok(Err(RunError(reason))) => reason,
                    Err(panic) => panic.to_string(),
                };
                tracing::error!(line.id = %line.id, %error, "a line lost its connection");
                pause_before(&served.stop, begun, &mut pause).await;
            }
        });
    }
}

/// Waits before the next try: longer each time, unless the last one went well for long.
async fn pause_before(stop: &CancellationToken, begun: Instant, pause: &mut Duration) {
    if begun.elapsed() >= PAUSE_MAX {
        *pause = PAUSE_MIN;
    }
    tokio::select! {
        () = tokio::time::sleep(*pause) => {}
        () = stop.cancelled() => {}
    }
    *pause = (*pause * 2).min(PAUSE_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_try_that_went_well_for_long_is_followed_by_a_short_pause() {
        let stop = CancellationToken::new();
        let mut pause = PAUSE_MIN;
        let mut waited = Vec::new();
        for well in [0, 0, 0, 61, 0] {
            let begun = Instant::now();
            tokio::time::advance(Duration::from_secs(well)).await;
            let ended = Instant::now();
            pause_before(&stop, begun, &mut pause).await;
            waited.push(ended.elapsed().as_millis());
        }
        assert_eq!(waited, [250, 500, 1_000, 250, 500]);
    }
}
