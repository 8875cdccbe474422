-- How far each outgoing webhook has come. The event log is the outbox behind it.
-- state: 0 delivers, 1 suspended, 2 gone. version: of what an admin changed.
create table webhook (
  id text primary key,
  cursor integer not null,
  state integer not null,
  next_at integer not null,
  attempts integer not null,
  version integer not null,
  doc text not null
) without rowid;
