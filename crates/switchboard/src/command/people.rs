//! `switchboard operator …`, `switchboard token …`

use std::io::{self, BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use proto::admin::v1 as pb;
use proto::admin::v1::admin_client::AdminClient;
use proto::inbox::v1::{Membership, Operator, Presence, Role};

use super::admin::{Local, told, with_local};
use crate::cli::{OperatorChange, OperatorCommand, RoleName, TokenCommand};
use crate::config::Config;
use crate::out;

pub(super) fn operator(config: Config, command: OperatorCommand) -> anyhow::Result<ExitCode> {
    with_local(config, async |local| {
        change(local, command).await?;
        Ok(ExitCode::SUCCESS)
    })
}

async fn change(local: &Local, command: OperatorCommand) -> anyhow::Result<()> {
    match command {
        OperatorCommand::Add {
            login,
            name,
            role,
            queues,
            skills,
            capacity,
        } => {
            let request = pb::CreateOperatorRequest {
                display_name: name.unwrap_or_else(|| login.clone()),
                login,
                password: password()?,
                role: role_of(role).into(),
                queues: memberships(&queues)?,
                skills,
                capacity: capacity.unwrap_or(0),
                ..Default::default()
            };
            let mut admin = AdminClient::new(local.signed());
            let added = admin.create_operator(request).await.map_err(told)?;
            out::line(format_args!(
                "{} can sign in now.",
                added.into_inner().login
            ))
        }
        OperatorCommand::List => list(local).await,
        OperatorCommand::Change { login, change } => {
            let request = changed(as_it_is(find(local, &login).await?), change)?;
            let mut admin = AdminClient::new(local.signed());
            let changed = admin.update_operator(request).await.map_err(told)?;
            show(&changed.into_inner())
        }
        OperatorCommand::Disable { login } => {
            let mut admin = AdminClient::new(local.signed());
            let request = pb::UpdateOperatorRequest {
                disabled: true,
                ..as_it_is(find(local, &login).await?)
            };
            admin.update_operator(request).await.map_err(told)?;
            out::line(format_args!("{login} cannot sign in any more."))
        }
        OperatorCommand::Password { login } => {
            let request = pb::SetOperatorPasswordRequest {
                operator_id: find(local, &login).await?.id,
                password: password()?,
            };
            let mut admin = AdminClient::new(local.signed());
            admin.set_operator_password(request).await.map_err(told)?;
            out::line(format_args!(
                "{login} has a new password; their sessions have ended."
            ))
        }
    }
    .context("printing")
}

pub(super) fn token(config: Config, command: TokenCommand) -> anyhow::Result<ExitCode> {
    with_local(config, async |local| {
        let mut admin = AdminClient::new(local.signed());
        match command {
            TokenCommand::Create {
                name,
                role,
                operator,
                lines,
            } => {
                let operator_id = match operator {
                    Some(login) => find(local, &login).await?.id,
                    None => String::new(),
                };
                let request = pb::CreateTokenRequest {
                    name,
                    role: role_of(role).into(),
                    operator_id,
                    bridge_line_ids: lines,
                };
                let created = admin
                    .create_token(request)
                    .await
                    .map_err(told)?
                    .into_inner();
                out::line(created.secret)?;
            }
            TokenCommand::List => {
                let request = pb::ListTokensRequest {};
                let tokens = admin.list_tokens(request).await.map_err(told)?.into_inner();
                for token in tokens.tokens {
                    let state = if token.revoked_at.is_some() {
                        "revoked"
                    } else {
                        "valid"
                    };
                    let role = token.role().as_str_name().to_lowercase();
                    let lines = token.bridge_line_ids.join(",");
                    out::line(format_args!(
                        "{}\t{state}\t{role}\t{lines}\t{}",
                        token.id, token.name
                    ))?;
                }
            }
            TokenCommand::Revoke { id } => {
                let request = pb::RevokeTokenRequest {
                    token_id: id.clone(),
                };
                admin.revoke_token(request).await.map_err(told)?;
                out::line(format_args!("Token {id} works no more."))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn all(local: &Local) -> anyhow::Result<Vec<Operator>> {
    let mut admin = AdminClient::new(local.signed());
    let request = pb::ListOperatorsRequest {};
    Ok(admin
        .list_operators(request)
        .await
        .map_err(told)?
        .into_inner()
        .operators)
}

async fn find(local: &Local, login: &str) -> anyhow::Result<Operator> {
    all(local)
        .await?
        .into_iter()
        .find(|known| known.login == login.to_lowercase())
        .with_context(|| format!("there is no operator {login}: `switchboard operator list`"))
}

async fn list(local: &Local) -> io::Result<()> {
    let operators = all(local).await.map_err(io::Error::other)?;
    operators.iter().try_for_each(show)
}

/// One line of the list.
fn show(known: &Operator) -> io::Result<()> {
    let state = match (known.disabled, known.presence()) {
        (true, _) => "disabled",
        (false, Presence::Ready) => "ready",
        (false, Presence::Away) => "away",
        (false, Presence::Offline | Presence::Unspecified) => "offline",
    };
    let queues: Vec<String> = known.queues.iter().map(written).collect();
    out::line(format_args!(
        "{}\t{state}\t{}\t{}\t{}\t{}",
        known.login,
        known.role().as_str_name().to_lowercase(),
        queues.join(","),
        known.skills.join(","),
        known.display_name
    ))
}

/// With what is given in place of what was.
fn changed(
    mut request: pb::UpdateOperatorRequest,
    change: OperatorChange,
) -> anyhow::Result<pb::UpdateOperatorRequest> {
    if let Some(name) = change.name {
        request.display_name = name;
    }
    if let Some(role) = change.role {
        request.role = role_of(role).into();
    }
    if change.no_queues || !change.queues.is_empty() {
        request.queues = memberships(&change.queues)?;
    }
    if change.no_skills || !change.skills.is_empty() {
        request.skills = change.skills;
    }
    if let Some(capacity) = change.capacity {
        request.capacity = capacity;
    }
    Ok(request)
}

/// A change that changes nothing.
fn as_it_is(known: Operator) -> pb::UpdateOperatorRequest {
    pb::UpdateOperatorRequest {
        operator_id: known.id,
        display_name: known.display_name,
        role: known.role,
        queues: known.queues,
        capacity: known.capacity,
        auto_accept: known.auto_accept,
        skills: known.skills,
        disabled: known.disabled,
        ..Default::default()
    }
}

fn memberships(texts: &[String]) -> anyhow::Result<Vec<Membership>> {
    texts.iter().map(|text| membership(text)).collect()
}

/// `main`, `main:2`, the number being the operator's order of queues, or `main:2:1`, the
/// last being the queue's order of operators. The ids of queues have no colon.
fn membership(text: &str) -> anyhow::Result<Membership> {
    let mut parts = text.splitn(3, ':');
    let queue_id = parts.next().unwrap_or_default().to_owned();
    let mut number = || match parts.next() {
        None => Ok(0),
        Some(part) => part.parse().with_context(|| {
            format!("{text}: {part:?} is no number; write such as {queue_id}:2 or {queue_id}:2:1")
        }),
    };
    let (rank, position) = (number()?, number()?);
    Ok(Membership {
        queue_id,
        rank,
        position,
    })
}

/// As [`membership`] reads it, with a rank always.
fn written(membership: &Membership) -> String {
    let Membership {
        queue_id,
        rank,
        position,
    } = membership;
    match position {
        0 => format!("{queue_id}:{rank}"),
        position => format!("{queue_id}:{rank}:{position}"),
    }
}

const fn role_of(name: RoleName) -> Role {
    match name {
        RoleName::Operator => Role::Operator,
        RoleName::Supervisor => Role::Supervisor,
        RoleName::Admin => Role::Admin,
    }
}

/// From standard input, so that it is in no history and no list of processes.
fn password() -> anyhow::Result<String> {
    let input = io::stdin();
    if input.is_terminal() {
        out::line("Password (at least 10 characters; it is shown as you type):")?;
    }
    let mut line = String::new();
    input
        .lock()
        .read_line(&mut line)
        .context("reading the password")?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        bail!("no password was given: type it, or pipe it in");
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays() {
        let before = pb::UpdateOperatorRequest {
            display_name: "Anna".to_owned(),
            role: Role::Admin.into(),
            queues: vec![membership("main:1").unwrap()],
            capacity: 50,
            auto_accept: true,
            skills: vec!["billing".to_owned()],
            ..Default::default()
        };
        let same = changed(before.clone(), OperatorChange::default()).unwrap();
        assert_eq!(same, before);
        let change = OperatorChange {
            queues: vec!["second".to_owned()],
            no_skills: true,
            ..Default::default()
        };
        let other = pb::UpdateOperatorRequest {
            queues: vec![membership("second").unwrap()],
            skills: Vec::new(),
            ..before.clone()
        };
        assert_eq!(changed(before, change).unwrap(), other);
    }

    #[test]
    fn a_queue_is_written_as_it_is_read() {
        for (text, again) in [
            ("main", "main:0"),
            ("main:2", "main:2"),
            ("second-line:-1:0", "second-line:-1"),
            ("main:0:3", "main:0:3"),
        ] {
            assert_eq!(written(&membership(text).unwrap()), again, "{text}");
        }
        for wrong in ["main:x", "main:1:", "main:1:2:3"] {
            let told = membership(wrong).unwrap_err().to_string();
            assert!(told.contains("write such as main:2 or main:2:1"), "{told}");
        }
    }
}
