-- What clients thought of conversations: one rating each, by its own number so that
-- lists go on from it.
create table rating (
  id integer primary key,
  conversation integer not null unique,
  operator integer not null,
  line text not null,
  queue text not null,
  contact text not null,
  score integer not null check (score between 1 and 5),
  at integer not null,
  doc text not null
);
create index rating_operator on rating (operator, id);
create index rating_queue on rating (queue, id);
create index rating_contact on rating (contact);
-- What supervisors thought of operators' work in conversations.
create table review (
  conversation integer primary key,
  operator integer not null,
  score integer not null check (score between 1 and 5),
  at integer not null,
  doc text not null
);
create index review_operator on review (operator, at);
