-- Texts that operators answer with. owner: whose own it is; 0 for what is shared.
-- words: what it is found by, in small letters.
create table canned_reply (
  id integer primary key,
  owner integer not null,
  shortcut text not null,
  words text not null,
  uses integer not null default 0,
  doc text not null
);
create unique index canned_reply_shortcut on canned_reply (owner, shortcut);

-- Whom a note names, and since when they know.
create table mention (
  operator integer not null,
  message integer not null,
  conversation integer not null,
  read_at integer,
  primary key (operator, message)
) without rowid;
create index mention_unread on mention (operator) where read_at is null;
create index mention_message on mention (message);
create index mention_conversation on mention (conversation, operator);
