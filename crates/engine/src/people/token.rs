//! Keys of programs.

use domain::operator::Role;
use domain::{LineId, OperatorId, text};
use store::ApiToken;

use super::secret::{fresh_secret, hash_secret};
use crate::act::audit::by;
use crate::reason::malformed;
use crate::{ActError, Actor, Engine};

impl Engine {
    /// Makes an API token; its secret is told this once.
    pub async fn add_token(
        &self,
        actor: Option<&Actor>,
        name: &str,
        role: Role,
        operator: Option<OperatorId>,
        bridge_lines: Vec<LineId>,
    ) -> Result<(ApiToken, String), ActError> {
        let name = text::line(name, 100);
        if name.is_empty() {
            return Err(ActError::Invalid {
                field: "name",
                problem: malformed("say what the token is for"),
            });
        }
        if role == Role::Operator && operator.is_none() && bridge_lines.is_empty() {
            return Err(ActError::Invalid {
                field: "operator_id",
                problem: malformed(
                    "an operator's token needs the operator it acts as, or lines to bridge",
                ),
            });
        }
        for line in &bridge_lines {
            if self.line(line).is_none() {
                return Err(ActError::Invalid {
                    field: "bridge_line_ids",
                    problem: malformed(format!("there is no line {line}")),
                });
            }
        }
        let secret = format!("sb_{}", fresh_secret());
        let hash = hash_secret(&secret);
        let by = by(actor);
        let token = self
            .store()
            .write::<_, ActError>(move |tx| {
                if let Some(id) = operator
                    && tx.operator(id).is_none()
                {
                    return Err(ActError::NotFound("operator"));
                }
                let token = ApiToken {
                    id: tx.fresh_id(),
                    name,
                    role,
                    operator,
                    bridge_lines,
                    created_at: tx.now(),
                    revoked_at: None,
                };
                tx.save_token(&token, &hash)?;
                tx.audit(by, "token.add", &token.name, &rights_of(&token))?;
                Ok(token)
            })
            .await?;
        Ok((token, secret))
    }

    /// Ends an API token.
    pub async fn revoke_token(&self, actor: Option<&Actor>, id: i64) -> Result<(), ActError> {
        let by = by(actor);
        self.store()
            .write(move |tx| {
                if !tx.revoke_token(id)? {
                    return Err(ActError::NotFound("token"));
                }
                let name = tx.token(id)?.map(|token| token.name).unwrap_or_default();
                tx.audit(by, "token.revoke", &name, &format!("token {id}"))?;
                Ok(())
            })
            .await
    }
}

fn rights_of(token: &ApiToken) -> String {
    let mut rights = vec![format!("token {}", token.id), format!("{:?}", token.role)];
    let operator = token.operator.iter();
    rights.extend(operator.map(|operator| format!("as operator {operator}")));
    let lines = token.bridge_lines.iter();
    rights.extend(lines.map(|line| format!("bridges {line}")));
    rights.join(", ")
}
