-- The log: one row a platform orders it, one partitioned table holds it, and nothing in it changes.

create table log (
  platform text collate "C" primary key check (platform ~ '^[a-z][a-z0-9-]{0,39}$'),
  -- Changes when the log is restored or failed over with loss: cursors of another lineage are void.
  lineage uuid not null,
  -- Positions up to here are taken even where no event stands any more.
  floor bigint not null default 0,
  created_at timestamptz not null default now()
);

create table event (
  platform text collate "C" not null,
  position bigint not null check (position > 0),
  stream_id uuid not null,
  version int not null check (version > 0),
  commit_id uuid not null,
  type text collate "C" not null check (type ~ '^[a-z_]+\.[a-z_]+$'),
  schema_version smallint not null check (schema_version > 0),
  data jsonb not null check (jsonb_typeof(data) = 'object'),
  personal bytea,
  actor jsonb not null,
  correlation_id text not null,
  causation_id text,
  recorded_at timestamptz not null,
  primary key (platform, stream_id, version)
) partition by range (stream_id);

create index event_position on event (platform, position);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the event log is append-only: % of % refused', tg_op, tg_table_name using errcode = 'GL002';
end $$;

-- Row triggers reach every partition; truncate triggers do not, so each partition gets its own.
create trigger append_only before update or delete on event for each row execute function refuse_change();
create trigger append_only_truncate before truncate on event for each statement execute function refuse_change();

-- Streams without end live in one standing partition (UUIDv8 under a fixed prefix), all others in the month of
-- their UUIDv7, so that a month can be detached once no stream in it lives.
create function uuid_v7_floor(moment timestamptz) returns uuid language sql immutable strict as $$
  select (substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-0000-0000-000000000000')::uuid
  from (select lpad(to_hex(floor(extract(epoch from moment) * 1000)::bigint), 12, '0')) as t(h)
$$;

create function guard_partition(partition text) returns void language plpgsql as $$
begin
  execute format('alter table %I enable always trigger append_only', partition);
  execute format('create trigger append_only_truncate before truncate on %I for each statement execute function refuse_change()', partition);
  execute format('alter table %I enable always trigger append_only_truncate', partition);
  -- Few, wide, insert-only rows: analyze by count, or the planner's picture ages with the table.
  execute format('alter table %I set (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000)', partition);
end $$;

create table event_standing partition of event for values from (minvalue) to ('01000000-0000-0000-0000-000000000000');
select guard_partition('event_standing');

-- Makes the partitions of this month and the following ones. Idempotent; safe to run from many processes.
create function ensure_event_months(ahead int) returns int
  language plpgsql security definer set search_path = grantlog, pg_temp as $$
declare
  month timestamptz := date_trunc('month', now() at time zone 'utc') at time zone 'utc';
  upper_bound timestamptz;
  name text;
  made int := 0;
begin
  perform pg_advisory_xact_lock(hashtext('grantlog.ensure_event_months'));
  if to_regclass('grantlog.event_before') is null then
    execute format('create table event_before partition of event for values from (%L) to (%L)',
      '01000000-0000-0000-0000-000000000000', uuid_v7_floor(month));
    perform guard_partition('event_before');
    made := made + 1;
  end if;
  for i in 0 .. ahead loop
    upper_bound := month + interval '1 month';
    name := 'event_' || to_char(month at time zone 'utc', 'YYYY_MM');
    if to_regclass('grantlog.' || name) is null then
      execute format('create table %I partition of event for values from (%L) to (%L)', name, uuid_v7_floor(month), uuid_v7_floor(upper_bound));
      perform guard_partition(name);
      made := made + 1;
    end if;
    month := upper_bound;
  end loop;
  return made;
end $$;
select ensure_event_months(12);

-- Sealed secrets, insert-only; a rewrap inserts a row of the same id and the newest wins.
create table credential (
  platform text collate "C" not null,
  owner uuid not null,
  id uuid not null,
  kind text collate "C" not null,
  sealed bytea not null,
  sealed_at timestamptz not null default clock_timestamp(),
  primary key (platform, owner, id, sealed_at)
);

-- The wrapped data key of a subject. Deleting the row is erasure.
create table data_key (
  platform text collate "C" not null,
  subject uuid not null,
  sealed bytea not null,
  primary key (platform, subject)
);

-- The token state projection: the fold of a stream up to a version, so that a load reads a short tail.
create table stream_state (
  platform text collate "C" not null,
  stream_id uuid not null,
  fold_version int not null,
  version int not null,
  follows uuid[] not null,
  state text not null,
  mac bytea not null,
  primary key (platform, stream_id, fold_version)
) with (fillfactor = 80);

-- A consumer's whole state: how far it has come in a platform's log.
create table subscription (
  name text collate "C" not null,
  platform text collate "C" not null references log,
  position bigint not null default 0,
  failing_position bigint,
  failing_since timestamptz,
  failure text,
  retry_at timestamptz,
  primary key (name, platform)
);
