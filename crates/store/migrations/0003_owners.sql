-- Whom a thread belongs to, where a line can tell its clients apart by more than
-- the thread itself. A thread is bound before it has a message, so this is no
-- column of it.
create table thread_owner (
  line text not null,
  thread_key text not null,
  owner text not null,
  primary key (line, thread_key)
) without rowid;

-- Threads in which a signed user wrote before there were owners.
insert into thread_owner (line, thread_key, owner)
select thread.line, thread.thread_key, identity.value ->> '$.value'
from thread, json_each(thread.doc, '$.sender.identities') as identity
where identity.value ->> '$.kind' = 'user'
on conflict (line, thread_key) do nothing;
