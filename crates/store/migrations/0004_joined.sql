-- The few open conversations in which somebody takes part beside the owner.
create index conversation_joined on conversation (last_at)
  where state <> 'closed' and doc ->> '$.participants' is not null;
