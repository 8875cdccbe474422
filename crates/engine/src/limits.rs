//! How often somebody may do something: token buckets by act and address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use channels::host::{Act, RetryAfter};
use domain::{Millis, Timestamp};

/// Addresses remembered at once; beyond this the idle ones are forgotten first.
const BUCKETS_MAX: usize = 100_000;

/// Token buckets.
#[derive(Debug)]
pub struct Limiter<K> {
    buckets: Mutex<HashMap<K, Bucket>>,
    burst: u32,
    refill_ms: i64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    tokens: u32,
    refilled_at: Timestamp,
}

impl<K: std::hash::Hash + Eq> Limiter<K> {
    /// Allows `per_minute`, all at once if they were saved up.
    pub fn per_minute(per_minute: u32) -> Self {
        Self {
            buckets: Mutex::new(HashMap::new()),
            burst: per_minute.max(1),
            refill_ms: 60_000 / i64::from(per_minute.max(1)).max(1),
        }
    }

    /// Takes one token.
    pub fn take(&self, key: K, now: Timestamp) -> Result<(), RetryAfter> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_MAX {
            let (burst, refill_ms) = (self.burst, self.refill_ms.max(1));
            buckets.retain(|_, bucket| bucket.filled(now, burst, refill_ms).tokens < burst);
        }
        let full = Bucket {
            tokens: self.burst,
            refilled_at: now,
        };
        let bucket = buckets.entry(key).or_insert(full);
        *bucket = bucket.filled(now, self.burst, self.refill_ms.max(1));
        if bucket.tokens == 0 {
            return Err(RetryAfter(Millis(self.refill_ms.max(1))));
        }
        bucket.tokens -= 1;
        Ok(())
    }
}

impl Bucket {
    fn filled(self, now: Timestamp, burst: u32, refill_ms: i64) -> Self {
        let fresh = now.since(self.refilled_at).0 / refill_ms;
        let tokens = i64::from(self.tokens)
            .saturating_add(fresh)
            .min(i64::from(burst));
        Self {
            tokens: u32::try_from(tokens).unwrap_or(burst),
            refilled_at: if fresh > 0 {
                self.refilled_at + Millis(fresh * refill_ms)
            } else {
                self.refilled_at
            },
        }
    }
}

/// The buckets of clients' acts.
#[derive(Debug)]
pub(crate) struct ClientLimits {
    acts: Limiter<(Act, IpAddr)>,
    begins: Limiter<(IpAddr, &'static str)>,
    keys: Limiter<(Act, String)>,
}

impl ClientLimits {
    pub(crate) fn new(acts_per_minute_max: u32) -> Self {
        Self {
            acts: Limiter::per_minute(acts_per_minute_max),
            begins: Limiter::per_minute((acts_per_minute_max / 5).max(1)),
            keys: Limiter::per_minute((acts_per_minute_max / 2).max(1)),
        }
    }

    pub(crate) fn admit(
        &self,
        act: Act,
        ip: IpAddr,
        key: &str,
        now: Timestamp,
    ) -> Result<(), RetryAfter> {
        if act == Act::Begin {
            self.begins.take((ip, "begin"), now)?;
        }
        if !key.is_empty() {
            self.keys.take((act, key.to_owned()), now)?;
        }
        self.acts.take((act, ip), now)
    }
}
