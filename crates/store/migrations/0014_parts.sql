-- By which names a provider knows a message beside the first: what went or came in
-- several parts, and albums.
create table message_part (
  line text not null,
  direction text not null,
  external_id text not null,
  message integer not null,
  primary key (line, direction, external_id)
) without rowid;

-- Each line's way out is its own, in the order in which things are due.
drop index outbox_line;
create index outbox_due on outbox (line, next_at);
