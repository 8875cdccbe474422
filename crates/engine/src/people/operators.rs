//! Operators: made, changed, disabled.

use channels::Host;
use domain::operator::{Link, Load, Membership, Operator, Presence, Role};
use domain::routing::Skills;
use domain::{OperatorId, QueueId, Timestamp, text};
use store::Tx;

use super::password::{Salt, check_password, fresh_salt, hash_password};
use crate::act::audit::by;
use crate::act::scope_of;
use crate::reason::Reason;
use crate::{ActError, Actor, Engine, change, obligations};

/// The most skills of one operator, and of one conversation's needs.
pub const SKILLS_MAX: usize = 50;
/// The longest name of one.
const SKILL_CHARS_MAX: usize = 64;

/// What an operator is made of.
#[derive(Clone, Debug)]
pub struct NewOperator {
    /// The name to sign in by.
    pub login: String,
    /// The password.
    pub password: String,
    /// The name to show.
    pub display_name: String,
    /// Rights.
    pub role: Role,
    /// Queues.
    pub memberships: Vec<Membership>,
    /// What they can do.
    pub skills: Skills,
    /// Units; 0 for 100.
    pub capacity: u32,
    /// Offers are accepted by themselves.
    pub auto_accept: bool,
}

/// What an operator may be changed to.
#[derive(Clone, Debug)]
pub struct OperatorChange {
    /// The name to show.
    pub display_name: String,
    /// Rights.
    pub role: Role,
    /// Queues.
    pub memberships: Vec<Membership>,
    /// What they can do.
    pub skills: Skills,
    /// Units; 0 for 100.
    pub capacity: u32,
    /// Offers are accepted by themselves.
    pub auto_accept: bool,
    /// May not sign in any more.
    pub disabled: bool,
}

impl Engine {
    /// Makes an operator.
    pub async fn add_operator(
        &self,
        actor: Option<&Actor>,
        client_id: &str,
        mut new: NewOperator,
    ) -> Result<Operator, ActError> {
        check_password(&new.password)?;
        let password = std::mem::take(&mut new.password);
        let new = NewOperator {
            login: check_login(&new.login)?,
            display_name: check_display_name(&new.display_name)?,
            skills: check_skills(&new.skills)?,
            ..new
        };
        let engine = self.clone();
        let salt = self.salt_of(actor, client_id, &new.login);
        let password_hash = hash_password(password, salt).await?;
        let fingerprint = format!("operator {new:?} {password_hash}");
        let by = by(actor);
        self.once(actor, client_id, fingerprint.into_bytes(), move |tx| {
            engine.check_memberships(&new.memberships, &[])?;
            let operator = add(tx, new, &password_hash)?;
            tx.audit(
                by,
                "operator.add",
                &operator.login,
                &format!("{:?}, queues {}", operator.role, queues(&operator)),
            )?;
            Ok(operator)
        })
        .await
    }

    /// Changes an operator. Disabling ends their sessions and what they are asked.
    pub async fn change_operator(
        &self,
        actor: Option<&Actor>,
        client_id: &str,
        id: OperatorId,
        wanted: OperatorChange,
    ) -> Result<Operator, ActError> {
        let display_name = check_display_name(&wanted.display_name)?;
        let skills = check_skills(&wanted.skills)?;
        let engine = self.clone();
        let by = by(actor);
        let fingerprint = format!("{id:?}{wanted:?}").into_bytes();
        self.once(actor, client_id, fingerprint, move |tx| {
            let before = tx.operator(id).ok_or(ActError::NotFound("operator"))?;
            engine.check_memberships(&wanted.memberships, &before.memberships)?;
            let loses_admin = before.role == Role::Admin
                && !before.disabled
                && (wanted.role != Role::Admin || wanted.disabled);
            let admins = tx
                .operators()
                .filter(|other| other.role == Role::Admin && !other.disabled)
                .count();
            if loses_admin && admins == 1 {
                return Err(ActError::Invalid {
                    field: "role",
                    problem: Reason::LastAdmin,
                });
            }
            let mut after = (*before).clone();
            after.display_name = display_name;
            after.role = wanted.role;
            after.memberships = wanted.memberships;
            after.skills = skills;
            after.capacity = capacity_of(wanted.capacity);
            after.auto_accept = wanted.auto_accept;
            after.disabled = wanted.disabled;
            let told = told(&before, &after);
            let deadline = after.next_deadline();
            tx.save_operator(after, deadline)?;
            if wanted.disabled {
                tx.end_sessions_of(id, None)?;
                let gone = domain::operator::Input::SetPresence {
                    presence: Presence::Offline,
                    when_idle: false,
                };
                change::operator(tx, id, gone)?;
                obligations::owner_gone(tx, id)?;
            }
            tx.audit(by, "operator.change", &before.login, &told)?;
            tx.operator(id)
                .map(|operator| (*operator).clone())
                .ok_or(ActError::NotFound("operator"))
        })
        .await
    }

    /// The same call again makes the same hash of the same password, by which the two
    /// are compared; nobody else's call has this salt.
    fn salt_of(&self, actor: Option<&Actor>, client_id: &str, login: &str) -> Salt {
        if client_id.is_empty() {
            return fresh_salt();
        }
        let purpose = format!("salt {:?}", (scope_of(actor), client_id, login));
        let mut salt = Salt::default();
        salt.iter_mut()
            .zip(Host::secret(self, &purpose))
            .for_each(|(to, from)| *to = from);
        salt
    }

    /// Within the writer's turn, so that no reload drops a queue before it is used.
    /// What they had before may stay, though the queue is gone: else nobody could be
    /// disabled who worked for it.
    fn check_memberships(
        &self,
        wanted: &[Membership],
        before: &[Membership],
    ) -> Result<(), ActError> {
        let serving = self.serving();
        let had = |queue: &QueueId| before.iter().any(|known| known.queue == *queue);
        let unknown = wanted
            .iter()
            .map(|membership| &membership.queue)
            .find(|queue| !serving.has_queue(queue) && !had(queue));
        match unknown {
            Some(queue) => Err(ActError::Invalid {
                field: "queues",
                problem: Reason::NoQueue {
                    queue: queue.clone(),
                },
            }),
            None => Ok(()),
        }
    }
}

/// What is other about an operator, for the audit log.
fn told(before: &Operator, after: &Operator) -> String {
    let mut told = Vec::new();
    if before.role != after.role {
        told.push(format!("role {:?} to {:?}", before.role, after.role));
    }
    if before.disabled != after.disabled {
        told.push(
            if after.disabled {
                "disabled"
            } else {
                "enabled"
            }
            .to_owned(),
        );
    }
    if before.memberships != after.memberships {
        told.push(format!("queues {} to {}", queues(before), queues(after)));
    }
    if before.capacity != after.capacity {
        told.push(format!(
            "capacity {} to {}",
            before.capacity, after.capacity
        ));
    }
    if before.auto_accept != after.auto_accept {
        told.push(format!("accepts by themselves: {}", after.auto_accept));
    }
    if before.display_name != after.display_name {
        told.push("the name to show".to_owned());
    }
    if told.is_empty() {
        told.push("nothing has changed".to_owned());
    }
    told.join("; ")
}

fn queues(operator: &Operator) -> String {
    let queues: Vec<String> = operator
        .memberships
        .iter()
        .map(|membership| format!("{}:{}", membership.queue, membership.rank))
        .collect();
    format!("[{}]", queues.join(" "))
}

pub(super) fn check_login(login: &str) -> Result<String, ActError> {
    let login = login.trim().to_lowercase();
    let valid = (2..=64).contains(&login.chars().count())
        && login
            .chars()
            .all(|c| c.is_alphanumeric() || "._-@+".contains(c));
    if !valid {
        return Err(ActError::Invalid {
            field: "login",
            problem: Reason::Login,
        });
    }
    Ok(login)
}

pub(super) fn check_display_name(display_name: &str) -> Result<String, ActError> {
    let name = text::display_name(display_name);
    if name.is_empty() || name.chars().count() > 100 {
        return Err(ActError::Invalid {
            field: "display_name",
            problem: Reason::Length { max: 100 },
        });
    }
    Ok(name)
}

/// A skill's name as it is compared: in small letters, so that nobody is passed over
/// for a capital. An error says what to write.
pub fn skill_name(name: &str) -> Result<String, Reason> {
    let name = name.trim().to_lowercase();
    let fits = (1..=SKILL_CHARS_MAX).contains(&name.chars().count());
    // Lists of skills are typed with commas between them.
    if fits && !name.contains(|c: char| c == ',' || c.is_control()) {
        Ok(name)
    } else {
        Err(Reason::Skill {
            max: SKILL_CHARS_MAX,
        })
    }
}

fn check_skills(skills: &Skills) -> Result<Skills, ActError> {
    let invalid = |problem| ActError::Invalid {
        field: "skills",
        problem,
    };
    let names: Result<Vec<String>, Reason> = skills.iter().map(skill_name).collect();
    let names = names.map_err(invalid)?;
    if names.len() > SKILLS_MAX {
        return Err(invalid(Reason::TooManySkills { max: SKILLS_MAX }));
    }
    Ok(names.into_iter().collect())
}

fn capacity_of(wanted: u32) -> u32 {
    if wanted == 0 { 100 } else { wanted.min(10_000) }
}

pub(super) fn add(
    tx: &mut Tx<'_>,
    new: NewOperator,
    password_hash: &str,
) -> Result<Operator, ActError> {
    if tx.operators().any(|other| other.login == new.login) {
        return Err(ActError::Exists(Reason::LoginTaken {
            login: new.login.clone(),
        }));
    }
    let operator = Operator {
        id: OperatorId::new(tx.fresh_id()),
        login: new.login,
        display_name: new.display_name,
        role: new.role,
        disabled: false,
        memberships: new.memberships,
        skills: new.skills,
        capacity: capacity_of(new.capacity),
        auto_accept: new.auto_accept,
        presence: Presence::Offline,
        next_presence: None,
        idle_since: Timestamp::default(),
        turn: 0,
        load: Load::default(),
        wrapping_up: 0,
        misses: 0,
        not_responding: false,
        cool_down_until: None,
        link: Link::Unwatched,
        lost_at: None,
        version: 1,
    };
    tx.add_operator(&operator, password_hash)?;
    Ok(operator)
}
