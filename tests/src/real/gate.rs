use std::sync::Arc;

use tokio::sync::watch;

/// Tells the clients when the gateway is there, so that nobody has to try in vain
/// or to wait for nothing.
#[derive(Clone, Debug)]
pub struct Gate {
    lives: Arc<watch::Sender<u64>>,
    draining: Arc<watch::Sender<bool>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            lives: Arc::new(watch::Sender::new(0)),
            draining: Arc::new(watch::Sender::new(false)),
        }
    }
}

impl Gate {
    /// Says that the gateway began another life.
    pub fn open(&self) {
        self.lives.send_modify(|life| *life += 1);
    }

    /// Says that nothing new is to be begun; what was begun is finished.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Whether nothing new is to be begun.
    pub fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Waits until nothing new is to be begun.
    pub async fn drained(&self) {
        let mut draining = self.draining.subscribe();
        // The sender is ours.
        let _ = draining.wait_for(|draining| *draining).await;
    }

    /// Waits for a life after one.
    pub async fn life_after(&self, life: u64) -> u64 {
        let mut lives = self.lives.subscribe();
        lives
            .wait_for(|current| *current > life)
            .await
            .map_or(life, |current| *current)
    }
}

/// The connection is gone.
#[derive(Debug)]
pub(super) struct Lost;

/// What a client does with a connection, again and again until it is done.
pub(super) trait Client {
    /// Lives through one connection; true when there is nothing left to do.
    fn connection(&mut self) -> impl Future<Output = Result<bool, Lost>> + Send;
}

/// Connects a client whenever the gateway is there, until it is done.
pub(super) async fn persist<C: Client>(gate: Gate, mut client: C) -> C {
    let mut life = gate.life_after(0).await;
    loop {
        match client.connection().await {
            Ok(true) => return client,
            Ok(false) => {}
            Err(Lost) => life = gate.life_after(life).await,
        }
    }
}
