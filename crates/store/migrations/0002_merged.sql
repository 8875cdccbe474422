-- Erasing a contact finds everybody who became part of it, and their merges.
create index contact_merged on contact (merged_into) where merged_into is not null;
create index merge_kept on merge (doc ->> '$.record.kept');
create index merge_merged on merge (doc ->> '$.record.merged');
