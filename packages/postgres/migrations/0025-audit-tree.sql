-- The tree over each platform's log (RFC 6962), in tiles of 256 hashes, and what was signed of it. The log remains the truth: tiles
-- can be dropped and made anew, and what comes out has to be what was signed.
create table audit_tree (
  platform text collate "C" not null references log,
  -- Another lineage is another log, with a tree and an origin of its own.
  lineage uuid not null,
  -- The first line of its checkpoints, for good.
  origin text not null,
  -- Positions up to here stand in no leaf: the leaf of index n is the event at position base + n + 1.
  base bigint not null,
  size bigint not null default 0,
  root bytea not null,
  primary key (platform, lineage)
);

create table audit_tile (
  platform text collate "C" not null,
  lineage uuid not null,
  level smallint not null,
  tile bigint not null,
  -- 32 bytes each, 256 where it is full.
  hashes bytea not null,
  primary key (platform, lineage, level, tile)
);
-- Hashes do not compress.
alter table audit_tile alter column hashes set storage external;

create table audit_checkpoint (
  platform text collate "C" not null,
  lineage uuid not null,
  size bigint not null,
  root bytea not null,
  -- As a signed note (C2SP), whole.
  note text not null,
  signed_at timestamptz not null default clock_timestamp(),
  primary key (platform, lineage, size)
);
create trigger append_only before update or delete on audit_checkpoint for each row execute function refuse_change();
create trigger append_only_truncate before truncate on audit_checkpoint for each statement execute function refuse_change();
alter table audit_checkpoint enable always trigger append_only;
alter table audit_checkpoint enable always trigger append_only_truncate;

grant select on audit_tree, audit_tile, audit_checkpoint to grantlog_api, grantlog_worker;
grant insert, update, delete on audit_tree, audit_tile to grantlog_worker;
grant insert on audit_checkpoint to grantlog_worker;
