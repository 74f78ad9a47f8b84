-- Months of the log that were written to archive files and detached. What is here is no copy of them: which positions are gone,
-- and the hash that each of them has in the tree, so that a hole that was made by archiving is told from one that was not.

create table archive (
  id uuid primary key,
  platform text collate "C" not null references log,
  lineage uuid not null,
  month text collate "C" not null check (month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  -- The name of the file, without a folder, and its SHA-256.
  file text not null,
  digest bytea not null check (octet_length(digest) = 32),
  events bigint not null check (events > 0),
  streams bigint not null check (streams > 0),
  first_position bigint not null,
  last_position bigint not null,
  -- Leaves of the signed tree that the file proves its events to be in.
  tree_size bigint not null,
  archived_at timestamptz not null default clock_timestamp()
);
create index archive_platform on archive (platform, month);
create trigger append_only before update or delete on archive for each row execute function refuse_change();
create trigger append_only_truncate before truncate on archive for each statement execute function refuse_change();
alter table archive enable always trigger append_only;
alter table archive enable always trigger append_only_truncate;

-- The hashes of archived leaves, by blocks of 256 positions. They count from when their archive has its row: a run that was cut
-- short leaves some that nobody reads, and the next one removes them.
create table archived_leaf (
  platform text collate "C" not null,
  block bigint not null,
  archive uuid not null,
  -- A bit a position, the lowest first; a hash of 32 bytes for each that is set, in the same order.
  present bytea not null check (octet_length(present) = 32),
  hashes bytea not null check (octet_length(hashes) % 32 = 0),
  primary key (platform, block, archive)
);
alter table archived_leaf alter column hashes set storage external;

-- Whose data keys go with an account, of sessions that are archived: the log itself says so only of those it still has.
create table archived_subject (
  platform text collate "C" not null,
  account uuid not null,
  subject uuid not null,
  primary key (platform, account, subject)
);

revoke all on archive, archived_leaf, archived_subject from public;
grant select on archive, archived_leaf, archived_subject to grantlog_api, grantlog_worker;
