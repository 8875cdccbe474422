-- More states of a conversation: deferred until the hours begin, finished up by its
-- operator, abandoned by its client. A constraint cannot be changed, so the table is
-- made anew.
create table conversation_anew (
  id integer primary key,
  thread integer not null,
  queue text not null,
  contact text not null,
  operator integer,
  state text not null check (state in
    ('deferred', 'queued', 'offered', 'active', 'parked', 'wrap_up', 'abandoned', 'closed')),
  band integer not null,
  eligible_at integer not null,
  seq integer not null,
  deadline integer,
  last_at integer not null,
  unread integer not null,
  doc text not null,
  check ((operator is not null) = (state in ('offered', 'active', 'parked', 'wrap_up')))
);
insert into conversation_anew
  (id, thread, queue, contact, operator, state, band, eligible_at, seq, deadline, last_at,
   unread, doc)
select id, thread, queue, contact, operator, state, band, eligible_at, seq, deadline, last_at,
  unread, doc
from conversation;
drop table conversation;
alter table conversation_anew rename to conversation;
create unique index conversation_open on conversation (thread) where state <> 'closed';
create index conversation_waiting on conversation (queue, band, eligible_at, seq)
  where state in ('queued', 'offered');
create index conversation_operator on conversation (operator, last_at)
  where operator is not null;
create index conversation_live on conversation (last_at) where state <> 'closed';
create index conversation_ended on conversation (last_at) where state = 'closed';
create index conversation_thread on conversation (thread, id);
create index conversation_contact on conversation (contact, id);
create index conversation_deadline on conversation (deadline) where deadline is not null;
-- The few open conversations in which somebody takes part beside the owner.
create index conversation_joined on conversation (last_at)
  where state <> 'closed' and doc ->> '$.participants' is not null;

-- Several operators can be asked about one conversation at once.
drop index offer_pending;
create unique index offer_pending on offer (conversation, operator) where pending = 1;

-- How long a conversation of a queue keeps an operator busy: an exponentially weighted
-- mean, for the estimates that waiting clients are told.
create table pace (
  queue text not null,
  medium text not null,
  doc text not null,
  primary key (queue, medium)
) without rowid;

-- When a thread's client was last told something by the gateway itself.
create table notice (thread integer primary key, at integer not null);
