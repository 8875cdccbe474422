use std::sync::Arc;

use domain::conversation::{Conversation, Offer, OfferState};
use domain::event::EventKind;
use domain::routing::Excluded;
use domain::{ConversationId, OfferId, OperatorId};
use rusqlite::Row;

use crate::roster::KeptOut;
use crate::view::doc_of;
use crate::{StoreError, Tx, View};

/// An offer as its document has it. Who was kept out stands beside it, and in no event.
fn bare(offer: &Offer) -> Offer {
    let mut bare = offer.clone();
    bare.explanation.excluded = Excluded::default();
    bare
}

/// The document of an offer, and who was kept out. An old one has that in its document.
fn stored(row: &Row<'_>) -> Result<(Offer, Option<KeptOut>), StoreError> {
    let roster: Option<i64> = row.get(1)?;
    let kept_out = match roster {
        Some(roster) => Some(KeptOut {
            roster,
            rules: row.get(2)?,
        }),
        None => None,
    };
    Ok((doc_of(row)?, kept_out))
}

impl Tx<'_> {
    /// Writes a new offer and says so.
    pub fn make_offer(
        &mut self,
        offer: &Offer,
        conversation: &Conversation,
    ) -> Result<(), StoreError> {
        let bare = bare(offer);
        self.add_offer(offer, &bare)?;
        self.count_offer(offer)?;
        self.emit(EventKind::OfferMade {
            offer: Arc::new(bare),
            conversation: Arc::new(conversation.clone()),
        })?;
        Ok(())
    }

    /// Writes an offer that has ended and says so.
    pub fn end_offer(&mut self, offer: &Offer) -> Result<(), StoreError> {
        let bare = bare(offer);
        let changed = self.execute(
            "update offer set pending = ?2, doc = ?3 where id = ?1 and roster is not null",
            (
                offer.id.get(),
                is_pending(offer),
                serde_json::to_string(&bare)?,
            ),
        )?;
        if changed == 0 {
            self.add_offer(offer, &bare)?;
        }
        self.count_offer(offer)?;
        self.emit(EventKind::OfferEnded(Arc::new(bare)))?;
        Ok(())
    }

    fn add_offer(&mut self, offer: &Offer, bare: &Offer) -> Result<(), StoreError> {
        let kept_out = self.keep_out(&offer.queue, &offer.explanation.excluded)?;
        self.execute(
            "insert into offer (id, conversation, operator, pending, doc, roster, kept_out)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             on conflict (id) do update set pending = excluded.pending, doc = excluded.doc,
               roster = excluded.roster, kept_out = excluded.kept_out",
            (
                offer.id.get(),
                offer.conversation.get(),
                offer.operator.get(),
                is_pending(offer),
                serde_json::to_string(bare)?,
                kept_out.as_ref().map(|kept_out| kept_out.roster),
                kept_out.as_ref().map(|kept_out| &kept_out.rules),
            ),
        )?;
        Ok(())
    }
}

const fn is_pending(offer: &Offer) -> bool {
    matches!(offer.state, OfferState::Pending)
}

impl View<'_> {
    /// One offer.
    pub fn offer(&self, id: OfferId) -> Result<Option<Offer>, StoreError> {
        let found = self.row(
            "select doc, roster, kept_out from offer where id = ?1",
            [id.get()],
            stored,
        )?;
        found.map(|found| self.whole(found)).transpose()
    }

    /// The pending offers of an operator.
    pub fn pending_offers_of(&self, operator: OperatorId) -> Result<Vec<Offer>, StoreError> {
        let found = self.rows(
            "select doc, roster, kept_out from offer
             where operator = ?1 and pending = 1 order by id",
            [operator.get()],
            stored,
        )?;
        found.into_iter().map(|found| self.whole(found)).collect()
    }

    /// The pending offer of a conversation, or else the last that was accepted.
    pub fn deciding_offer_of(
        &self,
        conversation: ConversationId,
    ) -> Result<Option<Offer>, StoreError> {
        let found = self.row(
            "select doc, roster, kept_out from offer
             where conversation = ?1
               and (pending = 1 or doc ->> '$.state.ended.outcome' = 'accepted')
             order by pending desc, id desc limit 1",
            [conversation.get()],
            stored,
        )?;
        found.map(|found| self.whole(found)).transpose()
    }

    fn whole(&self, (mut offer, kept_out): (Offer, Option<KeptOut>)) -> Result<Offer, StoreError> {
        if let Some(kept_out) = kept_out {
            offer.explanation.excluded = self.kept_out(&kept_out)?;
        }
        Ok(offer)
    }
}
