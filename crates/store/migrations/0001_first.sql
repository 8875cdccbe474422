-- Key columns are what is searched, ordered or kept unique; everything else of a
-- row stands in its document. Times are UTC milliseconds.

create table meta (key text primary key, value text not null) without rowid;

-- Raw envelopes, written before the ack. state: 0 pending, 1 done, 2 dead,
-- 3 refused with a reason.
create table journal (
  seq integer primary key,
  line text not null,
  event_key text not null,
  received_at integer not null,
  raw blob not null,
  state integer not null default 0,
  attempts integer not null default 0,
  note text not null default ''
);
create unique index journal_key on journal (line, event_key);
create index journal_pending on journal (seq) where state = 0;
create index journal_dead on journal (seq) where state = 2;

-- origin: the contact before any merge, to whom the thread returns after an undo.
create table thread (
  id integer primary key,
  line text not null,
  thread_key text not null,
  contact text not null,
  origin text not null,
  doc text not null
);
create unique index thread_key on thread (line, thread_key);
create index thread_contact on thread (contact);
create index thread_origin on thread (origin);

create table conversation (
  id integer primary key,
  thread integer not null,
  queue text not null,
  contact text not null,
  operator integer,
  state text not null check (state in ('queued', 'offered', 'active', 'parked', 'closed')),
  band integer not null,
  eligible_at integer not null,
  seq integer not null,
  deadline integer,
  last_at integer not null,
  unread integer not null,
  doc text not null,
  check ((operator is not null) = (state in ('offered', 'active', 'parked')))
);
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

-- How many conversations of a queue are in a state, kept and not counted.
create table tally (
  queue text not null,
  state text not null,
  count integer not null check (count >= 0),
  primary key (queue, state)
) without rowid;

-- cursor: the event of the last change, by which a client's log is read.
create table message (
  id integer primary key,
  conversation integer not null,
  thread integer not null,
  contact text not null,
  line text not null,
  direction text not null check (direction in ('inbound', 'outbound', 'note')),
  external_id text,
  client_id text,
  cursor integer not null,
  doc text not null
);
create unique index message_external on message (line, external_id, direction)
  where external_id is not null;
create unique index message_client on message (conversation, client_id)
  where client_id is not null and direction <> 'inbound';
create index message_conversation on message (conversation, id);
create index message_contact on message (contact, id);
create index message_log on message (thread, cursor) where direction <> 'note';

create virtual table message_words using fts5 (
  words, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
);

create table offer (
  id integer primary key,
  conversation integer not null,
  operator integer not null,
  pending integer not null,
  doc text not null
);
create unique index offer_pending on offer (conversation) where pending = 1;
create index offer_operator on offer (operator) where pending = 1;
create index offer_conversation on offer (conversation);

create table operator (
  id integer primary key,
  login text not null unique,
  deadline integer,
  password_hash text not null,
  doc text not null
);

create table session (
  id integer primary key,
  token_hash blob not null unique,
  operator integer not null,
  doc text not null
);
create index session_operator on session (operator);

create table token (
  id integer primary key,
  token_hash blob not null unique,
  operator integer,
  doc text not null
);

-- What a client_id was answered, so that the same call gives the same answer.
create table act (
  scope text not null,
  client_id text not null,
  fingerprint blob not null,
  at integer not null,
  answer blob not null,
  primary key (scope, client_id)
) without rowid;
create index act_at on act (at);

create table draft (
  operator integer not null,
  conversation integer not null,
  body text not null,
  primary key (operator, conversation)
) without rowid;

create table block (
  kind text not null,
  issuer text not null,
  matched text not null,
  at integer not null,
  doc text not null,
  primary key (kind, issuer, matched)
) without rowid;
create index block_at on block (at);

-- What is to be handed over to channels, oldest first within a thread.
create table outbox (
  id integer primary key,
  line text not null,
  thread integer not null,
  message integer not null,
  next_at integer not null,
  attempts integer not null,
  sending integer not null,
  doc text not null
);
create index outbox_thread on outbox (thread, id);
create index outbox_line on outbox (line, id);

-- Contacts made here while the directory could not be reached.
create table provisional (
  contact text primary key,
  next_at integer not null,
  attempts integer not null,
  doc text not null
) without rowid;
create index provisional_next on provisional (next_at);

create table redirect (contact text primary key, target text not null) without rowid;

create table suggestion (
  id integer primary key,
  contact text not null,
  other text not null,
  dismissed integer not null default 0,
  doc text not null
);
create unique index suggestion_pair on suggestion (contact, other);
create index suggestion_other on suggestion (other);

create table upload (
  id text primary key,
  owner text not null,
  at integer not null,
  doc text not null
) without rowid;
create index upload_at on upload (at);

create table event (
  cursor integer primary key,
  at integer not null,
  doc text not null
);

create table audit (
  id integer primary key,
  at integer not null,
  operator integer,
  act text not null,
  subject text not null,
  detail text not null
);

-- The built-in contact directory.
create table contact (
  id integer primary key,
  changed integer not null,
  merged_into integer,
  doc text not null
);
create index contact_changed on contact (changed);

-- owner: 1 for the one contact that has it asserted or proven, 0 for claims.
create table identity (
  kind text not null,
  issuer text not null,
  matched text not null,
  owner integer not null,
  contact integer not null,
  doc text not null,
  primary key (kind, issuer, matched, contact)
) without rowid;
create unique index identity_owner on identity (kind, issuer, matched) where owner = 1;
create index identity_contact on identity (contact);
create index identity_matched on identity (matched);

create virtual table contact_words using fts5 (
  words, content = '', contentless_delete = 1, tokenize = 'trigram'
);

create table merge (
  id integer primary key,
  undone integer not null default 0,
  doc text not null
);

create table contact_change (
  cursor integer primary key,
  doc text not null
);
