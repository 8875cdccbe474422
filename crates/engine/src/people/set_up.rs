//! The first start: one link, good once, makes the first admin.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::operator::{Membership, Role};
use domain::routing::Skills;
use store::StoreError;

use super::operators::{NewOperator, add, check_display_name, check_login};
use super::password::{check_password, fresh_salt, hash_password};
use super::secret::{fresh_secret, hash_secret};
use super::session::{Browser, SignedIn, begin_session};
use crate::reason::Reason;
use crate::{ActError, Engine};

const SET_UP_HASH: &str = "set_up_hash";

impl Engine {
    /// Makes the secret of the first set-up; none once somebody can sign in. Each
    /// call makes the one before worthless.
    pub async fn open_set_up(&self) -> Result<Option<String>, StoreError> {
        self.store()
            .write(|tx| {
                if tx.operators().any(|operator| operator.role == Role::Admin) {
                    return Ok(None);
                }
                let secret = fresh_secret();
                let hash = URL_SAFE_NO_PAD.encode(hash_secret(&secret));
                tx.set_meta(SET_UP_HASH, &hash)?;
                Ok(Some(secret))
            })
            .await
    }

    /// Whether the first set-up is still open.
    pub async fn set_up_is_open(&self) -> Result<bool, StoreError> {
        self.read(|view| Ok(view.meta(SET_UP_HASH)?.is_some()))
            .await
    }

    /// Makes the first admin, who works for every queue, and signs them in.
    pub async fn set_up(
        &self,
        set_up_token: &str,
        login: &str,
        password: String,
        display_name: &str,
        browser: &Browser,
    ) -> Result<SignedIn, ActError> {
        check_password(&password)?;
        let memberships = self
            .settings()
            .queues
            .iter()
            .map(|queue| Membership {
                queue: queue.id.clone(),
                rank: 0,
                position: 0,
            })
            .collect();
        let new = NewOperator {
            login: check_login(login)?,
            display_name: check_display_name(display_name)?,
            password: String::new(),
            role: Role::Admin,
            memberships,
            skills: Skills::default(),
            capacity: 0,
            auto_accept: false,
        };
        let password_hash = hash_password(password, fresh_salt()).await?;
        let offered = URL_SAFE_NO_PAD.encode(hash_secret(set_up_token));
        let token = fresh_secret();
        let token_hash = hash_secret(&token);
        let browser = browser.clone();
        let operator = self
            .store()
            .write::<_, ActError>(move |tx| {
                if tx.meta(SET_UP_HASH)?.as_deref() != Some(&offered) {
                    return Err(ActError::Denied(Reason::SetUpLinkUsed));
                }
                tx.unset_meta(SET_UP_HASH)?;
                let operator = add(tx, new, &password_hash)?;
                let detail = format!("first admin; {browser}");
                tx.audit(operator.id, "set_up", &operator.login, &detail)?;
                begin_session(tx, operator.id, &browser, &token_hash)?;
                Ok(operator)
            })
            .await?;
        Ok(SignedIn { token, operator })
    }
}
