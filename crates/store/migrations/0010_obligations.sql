-- Promises to clients. origin: the contact before any merge, to whom the promise
-- returns after an undo. Times are UTC milliseconds.
create table obligation (
  id integer primary key,
  contact text not null,
  origin text not null,
  thread integer,
  queue text not null,
  owner integer,
  state text not null check (state in ('open', 'kept', 'late', 'broken', 'waived')),
  escalated integer not null check (escalated in (0, 1)),
  due_at integer not null,
  ended_at integer,
  deadline integer,
  doc text not null,
  check ((deadline is not null) = (state = 'open')),
  check ((ended_at is null) = (state = 'open'))
);
create index obligation_open on obligation (due_at, id) where state = 'open';
create index obligation_queue on obligation (queue, due_at, id) where state = 'open';
create index obligation_owner on obligation (owner, due_at, id)
  where state = 'open' and owner is not null;
create index obligation_ended on obligation (ended_at, id) where state <> 'open';
create index obligation_contact on obligation (contact, id);
create index obligation_origin on obligation (origin);
create index obligation_thread on obligation (thread) where thread is not null;
create index obligation_deadline on obligation (deadline) where deadline is not null;
