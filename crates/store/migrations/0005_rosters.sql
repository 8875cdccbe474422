-- Who works for a queue, once for each time that it was somebody else. An offer says of
-- each of them, in this order, what kept them out.
create table roster (
  id integer primary key,
  members blob not null unique
);
alter table offer add column roster integer;
alter table offer add column kept_out blob;
create index offer_roster on offer (roster) where roster is not null;
