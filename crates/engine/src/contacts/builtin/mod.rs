//! The directory that we ship: the contract, over the store.

mod bulk;
mod editing;
mod failure;
mod merging;
mod pages;
mod resolving;
mod service;
mod watching;

use std::sync::Arc;

use domain::ContactId;
use domain::identity::{Identity, normalize};
use proto::contacts::v1 as pb;
use sha2::{Digest as _, Sha256};
use store::{ContactChange, DirectoryContact, PastAct, Store, StoreError, Tx, View};
use tokio::sync::broadcast;
use tonic::{Response, Status};

use super::{AskedBy, convert};
use failure::Failure;

const KEY_BYTES_MAX: usize = 128;
/// What the scopes of idempotency keys begin with here.
const ACT_SCOPE: &str = "contacts";

/// The built-in contact directory.
pub(crate) struct BuiltIn {
    store: Arc<Store>,
    changed: broadcast::Sender<()>,
}

impl BuiltIn {
    pub(crate) fn new(store: Arc<Store>, changed: broadcast::Sender<()>) -> Self {
        Self { store, changed }
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&View<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<Response<T>, Status> {
        Ok(Response::new(self.store.read(query).await?))
    }

    /// Does something once for each idempotency key of a caller.
    async fn once<T>(
        &self,
        by: Option<AskedBy>,
        key: String,
        request: Vec<u8>,
        act: impl FnOnce(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<Response<T>, Status>
    where
        T: prost::Message + Default + Send + 'static,
    {
        if key.len() > KEY_BYTES_MAX {
            return Err(Status::invalid_argument(format!(
                "idempotency_key: give at most {KEY_BYTES_MAX} bytes"
            )));
        }
        let scope = by.map_or_else(
            || ACT_SCOPE.to_owned(),
            |by| format!("{ACT_SCOPE} {}", by.0),
        );
        let done = self
            .store
            .write::<_, Failure>(move |tx| {
                if key.is_empty() {
                    return act(tx);
                }
                let fingerprint = Sha256::digest(&request);
                match tx.past_act(&scope, &key, &fingerprint)? {
                    PastAct::Same(answer) => {
                        return T::decode(answer.as_slice())
                            .map_err(|error| StoreError::Corrupt(error.to_string()).into());
                    }
                    PastAct::Different => {
                        return Err(Failure::Exists(
                            "this idempotency_key was used for something else: make a new one"
                                .to_owned(),
                        ));
                    }
                    PastAct::None => {}
                }
                let done = act(tx)?;
                tx.keep_act(&scope, &key, &fingerprint, &done.encode_to_vec())?;
                Ok(done)
            })
            .await?;
        Ok(Response::new(done))
    }
}

/// The contact that an id stands for, through merges.
fn live(view: &View<'_>, id: &str) -> Result<DirectoryContact, Failure> {
    let mut row = DirectoryContact::row_of(&ContactId::new(id));
    // Merges chain; a chain longer than this would be a loop.
    for _ in 0..64 {
        let Some(id) = row else { break };
        let Some(contact) = view.directory_contact(id)? else {
            break;
        };
        match contact.merged_into {
            Some(into) => row = Some(into),
            None => return Ok(contact),
        }
    }
    Err(Failure::NotFound("contact"))
}

fn shown(view: &View<'_>, contact: &DirectoryContact) -> Result<pb::Contact, Failure> {
    Ok(convert::contact(contact, &view.identities_of(contact.id)?))
}

fn normal(asked: Option<&pb::Identity>, region: &str) -> Result<Identity, Failure> {
    let asked = asked.ok_or_else(|| Failure::Invalid("identity: give one".to_owned()))?;
    Ok(normalize(&convert::identity_from(asked), region)?)
}

/// Writes a changed contact and tells those who watch.
fn save(tx: &mut Tx<'_>, contact: &mut DirectoryContact) -> Result<(), StoreError> {
    contact.version += 1;
    contact.updated_at = tx.now();
    tx.save_contact(contact)?;
    tx.contact_changed(&ContactChange::Changed(contact.id))
}

/// As [`save`], when the name or the identities have changed, by which it is found.
fn save_found(tx: &mut Tx<'_>, contact: &mut DirectoryContact) -> Result<(), StoreError> {
    tx.index_contact(contact)?;
    save(tx, contact)
}
