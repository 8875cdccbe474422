-- The file with the rest of an envelope that is too large for the journal.
alter table journal add column rest text;

-- The name of a thread that nobody can guess, by which letters find back to it.
alter table thread add column token text;
create unique index thread_token on thread (token) where token is not null;

-- The names that letters give themselves. Anybody can give any: they are not unique.
create table letter_name (
  line text not null,
  name text not null,
  message integer not null,
  primary key (line, name, message)
) without rowid;

-- What a line's connection left for the next one, such as how far it has read.
create table bookmark (
  line text not null,
  name text not null,
  note text not null,
  primary key (line, name)
) without rowid;

-- When somebody was last told something by the gateway itself: not per thread, since
-- each letter can begin one. A peer is a client's own address, or the thread where
-- there is none.
create table told (
  line text not null,
  peer text not null,
  at integer not null,
  primary key (line, peer)
) without rowid;
create index told_at on told (line, at);
insert into told (line, peer, at)
  select thread.line, 'thread ' || thread.id, notice.at
  from notice join thread on thread.id = notice.thread;
drop table notice;

-- Addresses that letters come back from for good, until somebody writes from there.
create table returned (
  line text not null,
  address text not null,
  reason text not null,
  at integer not null,
  primary key (line, address)
) without rowid;
