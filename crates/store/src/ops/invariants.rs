//! What must always hold, checked against what is stored. Anything found here is a
//! defect of ours.

use std::collections::BTreeMap;

use domain::OperatorId;
use domain::message::Medium;

use crate::{StoreError, View};

impl View<'_> {
    /// Every rule that is broken just now, with how often. Reads what is open, not
    /// what has ended.
    pub fn violations(&self) -> Result<Vec<(&'static str, i64)>, StoreError> {
        let counted = [
            (
                "offered_without_offer",
                "select count(*) from conversation
                 where state in ('queued', 'offered') and state = 'offered'
                   and not exists (
                     select 1 from offer
                     where offer.conversation = conversation.id and offer.pending = 1)",
            ),
            (
                "offer_without_offered",
                "select count(*) from offer
                 join conversation on conversation.id = offer.conversation
                 where offer.pending = 1
                   and (conversation.state <> 'offered'
                     or (conversation.operator is not offer.operator
                       and coalesce(
                         conversation.doc -> '$.state.offered.others' ->> cast(offer.operator as text), 0)
                         <> offer.id))",
            ),
            (
                "tally_differs",
                "select count(*) from (
                   select queue, state, count(*) as number from conversation
                   where state <> 'closed' group by queue, state) as counted
                 left join tally using (queue, state)
                 where coalesce(tally.count, 0) <> counted.number",
            ),
            (
                "message_without_conversation",
                "select count(*) from (select conversation from message order by id desc limit 1000)
                 where conversation not in (select id from conversation)",
            ),
        ];
        let mut found = Vec::new();
        for (rule, sql) in counted {
            let number = self.row(sql, (), |row| Ok(row.get(0)?))?.unwrap_or(0);
            if number > 0 {
                found.push((rule, number));
            }
        }
        let differing = self.loads_that_differ()?;
        if differing > 0 {
            found.push(("load_differs", differing));
        }
        Ok(found)
    }

    /// Operators who carry something else than is written of them.
    fn loads_that_differ(&self) -> Result<i64, StoreError> {
        let mut carried: BTreeMap<OperatorId, BTreeMap<String, u32>> = BTreeMap::new();
        let rows = self.rows(
            "select carrier, medium, count(*) from (
               select operator as carrier, doc ->> '$.medium' as medium from conversation
               where operator is not null and state in ('offered', 'active', 'wrap_up')
               union all
               select cast(other.key as integer), conversation.doc ->> '$.medium'
               from conversation, json_each(conversation.doc, '$.state.offered.others') as other
               where operator is not null and state = 'offered')
             group by 1, 2",
            (),
            |row| {
                Ok((
                    OperatorId::new(row.get(0)?),
                    row.get::<_, String>(1)?,
                    row.get::<_, u32>(2)?,
                ))
            },
        )?;
        for (operator, medium, count) in rows {
            carried.entry(operator).or_default().insert(medium, count);
        }
        let differing = self.all_operators()?.into_iter().filter(|operator| {
            let written: BTreeMap<String, u32> = operator
                .load
                .iter()
                .map(|(medium, count): (Medium, u32)| (medium.name().to_owned(), count))
                .collect();
            carried.remove(&operator.id).unwrap_or_default() != written
        });
        Ok(i64::try_from(differing.count()).unwrap_or(i64::MAX))
    }
}
