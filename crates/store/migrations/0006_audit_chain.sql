-- The audit log only grows at its end, and each entry's hash covers the one before;
-- `ops/audit.rs` says of what. What was there is chained when this has run.
alter table audit rename to audit_unchained;

create table audit (
  id integer primary key,
  at integer not null,
  operator integer,
  token integer,
  act text not null,
  subject text not null,
  detail text not null,
  hash blob not null
);

create trigger audit_only_grows before insert on audit
when new.id <= (select coalesce(max(id), 0) from audit) begin
  select raise(abort, 'the audit log only grows at its end');
end;

create trigger audit_is_not_changed before update on audit begin
  select raise(abort, 'an entry of the audit log is not changed');
end;

create trigger audit_is_not_shortened before delete on audit begin
  select raise(abort, 'an entry of the audit log is not deleted');
end;
