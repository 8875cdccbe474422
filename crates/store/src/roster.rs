//! Who was looked at for an offer and what kept them out, in little space.
//!
//! With a thousand operators the sets of an explanation are 8 KB as JSON, and with every
//! offer a few of them are others. But who works for a queue changes rarely: the list is
//! stored once, and an offer holds half a byte for each of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::routing::{Excluded, Rule};
use domain::{OperatorId, QueueId};

use crate::{StoreError, Tx, View};

/// The last roster of each queue and its row, so that an offer does not look it up.
pub(crate) type Rosters = BTreeMap<QueueId, (Arc<[OperatorId]>, i64)>;

/// An offer's share of a roster.
pub(crate) struct KeptOut {
    /// The row.
    pub(crate) roster: i64,
    /// Half a byte for each of its members.
    pub(crate) rules: Vec<u8>,
}

/// By code, from 1; 0 is nothing. The codes are stored: only add at the end.
const RULES: [Rule; 14] = [
    Rule::NotMember,
    Rule::NotReady,
    Rule::NotResponding,
    Rule::CoolingDown,
    Rule::WhileOn,
    Rule::MediumCap,
    Rule::NoRoom,
    Rule::Tried,
    Rule::LastAsked,
    Rule::Disconnected,
    Rule::WrapUp,
    Rule::MissingSkill,
    Rule::HeldForOther,
    Rule::HasBetter,
];

const fn code(rule: Option<Rule>) -> u8 {
    match rule {
        None => 0,
        Some(Rule::NotMember) => 1,
        Some(Rule::NotReady) => 2,
        Some(Rule::NotResponding) => 3,
        Some(Rule::CoolingDown) => 4,
        Some(Rule::WhileOn) => 5,
        Some(Rule::MediumCap) => 6,
        Some(Rule::NoRoom) => 7,
        Some(Rule::Tried) => 8,
        Some(Rule::LastAsked) => 9,
        Some(Rule::Disconnected) => 10,
        Some(Rule::WrapUp) => 11,
        Some(Rule::MissingSkill) => 12,
        Some(Rule::HeldForOther) => 13,
        Some(Rule::HasBetter) => 14,
    }
}

fn rule(code: u8) -> Result<Option<Rule>, StoreError> {
    match usize::from(code).checked_sub(1) {
        None => Ok(None),
        Some(at) => RULES
            .get(at)
            .map(|rule| Some(*rule))
            .ok_or_else(|| StoreError::Corrupt(format!("rule {code}"))),
    }
}

impl Tx<'_> {
    /// What an offer of this queue stores of those who were kept out; nothing when
    /// nobody was looked at.
    pub(crate) fn keep_out(
        &mut self,
        queue: &QueueId,
        excluded: &Excluded,
    ) -> Result<Option<KeptOut>, StoreError> {
        let members = excluded.members();
        if members.is_empty() {
            return Ok(None);
        }
        let known = self.state.rosters.get(queue);
        let roster = match known.filter(|(known, _)| known == members) {
            Some((_, id)) => *id,
            None => self.save_roster(queue, members)?,
        };
        let rules = pack(&excluded.rules());
        Ok(Some(KeptOut { roster, rules }))
    }

    fn save_roster(
        &mut self,
        queue: &QueueId,
        members: &Arc<[OperatorId]>,
    ) -> Result<i64, StoreError> {
        let packed = pack_members(members);
        let known = self.row(
            "select id from roster where members = ?1",
            [&packed],
            |row| Ok(row.get(0)?),
        )?;
        let id = known.map_or_else(|| self.add_roster(&packed), Ok)?;
        let known = (Arc::clone(members), id);
        self.state.rosters.insert(queue.clone(), known);
        Ok(id)
    }

    /// Adds a roster, and forgets those of which no offer is left. Even those that are
    /// remembered may be among them.
    fn add_roster(&mut self, packed: &[u8]) -> Result<i64, StoreError> {
        self.state.rosters.clear();
        self.execute(
            "delete from roster
             where not exists (select 1 from offer where offer.roster = roster.id)",
            (),
        )?;
        let id = self.fresh_id();
        self.execute(
            "insert into roster (id, members) values (?1, ?2)",
            (id, packed),
        )?;
        Ok(id)
    }
}

impl View<'_> {
    /// Reads back who was kept out.
    pub(crate) fn kept_out(&self, stored: &KeptOut) -> Result<Excluded, StoreError> {
        let members = self
            .row(
                "select members from roster where id = ?1",
                [stored.roster],
                |row| Ok(row.get::<_, Vec<u8>>(0)?),
            )?
            .ok_or_else(|| StoreError::Corrupt(format!("roster {} is gone", stored.roster)))?;
        let members = unpack_members(&members)?;
        let rules = unpack(&stored.rules, members.len())?;
        Ok(Excluded::of_members(members.into(), rules.into()))
    }
}

fn pack(rules: &[Option<Rule>]) -> Vec<u8> {
    let pairs = rules.chunks(2);
    pairs
        .map(|pair| code(pair[0]) | code(pair.get(1).copied().flatten()) << 4)
        .collect()
}

fn unpack(packed: &[u8], count: usize) -> Result<Vec<Option<Rule>>, StoreError> {
    if packed.len() != count.div_ceil(2) {
        return Err(StoreError::Corrupt(format!(
            "{} bytes for {count} members",
            packed.len()
        )));
    }
    let codes = packed.iter().flat_map(|byte| [byte & 15, byte >> 4]);
    codes.take(count).map(rule).collect()
}

/// The distances from one id to the next, seven bits a byte, the lowest first.
fn pack_members(members: &[OperatorId]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(members.len() * 2);
    let mut last = 0;
    for member in members {
        let mut distance = member.get().wrapping_sub(last).cast_unsigned();
        last = member.get();
        while distance >= 128 {
            packed.push(u8::try_from(distance & 127).unwrap_or(0) | 128);
            distance >>= 7;
        }
        packed.push(u8::try_from(distance).unwrap_or(0));
    }
    packed
}

fn unpack_members(packed: &[u8]) -> Result<Vec<OperatorId>, StoreError> {
    let mut members = Vec::new();
    let mut last = 0_i64;
    let (mut distance, mut shift) = (0_u64, 0);
    for byte in packed {
        if shift > 63 {
            return Err(StoreError::Corrupt("a roster's id is too long".to_owned()));
        }
        distance |= u64::from(byte & 127) << shift;
        shift += 7;
        if byte & 128 == 0 {
            last = last.wrapping_add(distance.cast_signed());
            members.push(OperatorId::new(last));
            (distance, shift) = (0, 0);
        }
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use domain::OperatorId;

    use super::{RULES, code, pack, pack_members, rule, unpack, unpack_members};

    #[test]
    fn what_is_packed_is_read_back() {
        for stored in RULES {
            assert_eq!(rule(code(Some(stored))).unwrap(), Some(stored));
        }
        assert!(rule(15).is_err());
        for count in [0, 1, 2, 3, 9, 10] {
            let mut rules: Vec<_> = RULES.into_iter().map(Some).chain([None]).collect();
            rules.truncate(count);
            assert_eq!(unpack(&pack(&rules), count).unwrap(), rules);
            assert!(unpack(&pack(&rules), count + 2).is_err());
        }
        let ids = [
            i64::MIN,
            -1,
            0,
            1,
            127,
            128,
            16_383,
            16_384,
            1 << 40,
            i64::MAX,
        ];
        let members = ids.map(OperatorId::new);
        assert_eq!(unpack_members(&pack_members(&members)).unwrap(), members);
        assert!(unpack_members(&[0xff; 11]).is_err());
    }
}
