-- What the worker keeps beside the log: how far projections are, who is told of what, and what was delivered.
-- Nothing here is truth: all of it can be made again from the log, except which attempts were made.

-- Which generation of a projection readers see, and which one is being built beside it.
create table projection (
  name text collate "C" not null,
  platform text collate "C" not null references log,
  live_generation int not null,
  live_version int not null,
  building_generation int,
  building_version int,
  primary key (name, platform),
  check ((building_generation is null) = (building_version is null)),
  check (building_generation is null or building_generation > live_generation)
);

create table grant_list (
  platform text collate "C" not null,
  generation int not null,
  grant_id uuid not null,
  version int not null,
  first_position bigint not null,
  position bigint not null,
  flow text not null,
  client uuid not null,
  client_id text not null,
  account uuid,
  session uuid,
  scopes text[] not null,
  resources text[] not null,
  context text,
  status text not null check (status in ('authorized', 'active', 'expired', 'revoked', 'denied')),
  reason text,
  token_sequence int not null,
  authorized_at timestamptz not null,
  last_issued_at timestamptz,
  expires_at timestamptz,
  ended_at timestamptz,
  primary key (platform, generation, grant_id)
);
create index grant_list_newest on grant_list (platform, generation, first_position);
create index grant_list_client on grant_list (platform, generation, client, first_position);
create index grant_list_account on grant_list (platform, generation, account, first_position);

-- "Revoke everything of …" is one event; here it is one row, which readers compare with each grant's first position.
create table grant_list_cutoff (
  platform text collate "C" not null,
  generation int not null,
  kind text not null check (kind in ('client', 'account', 'platform')),
  subject uuid not null,
  position bigint not null,
  at timestamptz not null,
  primary key (platform, generation, kind, subject)
);

-- The dispatcher's own picture of the endpoints, as of its checkpoint.
create table endpoint_route (
  platform text collate "C" not null,
  endpoint uuid not null,
  fold_version int not null,
  version int not null,
  status text not null check (status in ('active', 'disabled', 'deleted')),
  client uuid,
  types text[],
  primary key (platform, endpoint)
);

-- Grants that have not ended, so that a mass revocation reaches every one of them.
create table dispatch_grant (
  platform text collate "C" not null,
  grant_id uuid not null,
  client uuid not null,
  client_id text not null,
  account uuid,
  session uuid,
  first_position bigint not null,
  version int not null,
  -- When to ask whether the grant has run out. Only ever too early: a refresh does not move it.
  expires_at timestamptz not null,
  primary key (platform, grant_id)
) with (fillfactor = 80);
create index dispatch_grant_client on dispatch_grant (platform, client);
create index dispatch_grant_account on dispatch_grant (platform, account) where account is not null;
create index dispatch_grant_expiry on dispatch_grant (expires_at);

-- How an endpoint has been answering: the circuit breaker and the five days.
create table endpoint_health (
  platform text collate "C" not null,
  endpoint uuid not null,
  consecutive_failures int not null default 0,
  failing_since timestamptz,
  -- The circuit is open until then; one probe goes out afterwards.
  open_until timestamptz,
  last_success_at timestamptz,
  last_failure_at timestamptz,
  primary key (platform, endpoint)
) with (fillfactor = 60);

-- One event for one endpoint. The id is a UUIDv7 made from event and endpoint, so an event dispatched again inserts nothing.
create table delivery (
  platform text collate "C" not null,
  id uuid not null,
  endpoint uuid not null,
  lane smallint not null check (lane between 0 and 2),
  subject uuid not null,
  position bigint not null,
  type text collate "C" not null,
  renderer smallint not null,
  body text not null,
  state text not null default 'pending' check (state in ('pending', 'claimed', 'delivered', 'failed', 'abandoned')),
  attempt int not null default 0,
  failures int not null default 0,
  created_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  claimed_until timestamptz,
  finished_at timestamptz,
  primary key (platform, id)
) partition by range (id);

-- Due work of one endpoint and lane, and by a skip scan, which endpoints and lanes have any.
create index delivery_due on delivery (platform, endpoint, lane, due_at, position) where state = 'pending';
create index delivery_claimed on delivery (claimed_until) where state = 'claimed';
-- The head of each grant's line, for endpoints that ask for order.
create index delivery_unfinished on delivery (platform, endpoint, subject, position) where state in ('pending', 'claimed');
create index delivery_endpoint on delivery (platform, endpoint, id);

create table attempt (
  platform text collate "C" not null,
  delivery uuid not null,
  attempt int not null,
  outcome text not null check (outcome in ('delivered', 'rejected', 'gone', 'unreachable', 'refused', 'lost')),
  status smallint,
  -- Fixed text that the endpoint's owner may read.
  detail text not null,
  duration_ms int,
  at timestamptz not null default now(),
  primary key (platform, delivery, attempt)
) partition by range (delivery);

create function ensure_delivery_weeks(ahead int) returns int
  language plpgsql security definer set search_path = grantlog, pg_temp as $$
declare
  week timestamptz := date_trunc('week', now() at time zone 'utc') at time zone 'utc';
  suffix text;
  made int := 0;
begin
  perform pg_advisory_xact_lock(hashtext('grantlog.ensure_delivery_weeks'));
  if to_regclass('grantlog.delivery_before') is null then
    execute format('create table delivery_before partition of delivery for values from (minvalue) to (%L)', uuid_v7_floor(week));
    execute format('create table attempt_before partition of attempt for values from (minvalue) to (%L)', uuid_v7_floor(week));
    made := made + 1;
  end if;
  for i in 0 .. ahead loop
    suffix := to_char(week at time zone 'utc', 'IYYY_IW');
    if to_regclass('grantlog.delivery_' || suffix) is null then
      execute format('create table %I partition of delivery for values from (%L) to (%L) with (fillfactor = 70)',
        'delivery_' || suffix, uuid_v7_floor(week), uuid_v7_floor(week + interval '7 days'));
      execute format('create table %I partition of attempt for values from (%L) to (%L)',
        'attempt_' || suffix, uuid_v7_floor(week), uuid_v7_floor(week + interval '7 days'));
      made := made + 1;
    end if;
    week := week + interval '7 days';
  end loop;
  return made;
end $$;
select ensure_delivery_weeks(4);

-- Drops each week in which everything has been finished for so many days. A week with unfinished work stays.
create function drop_delivery_weeks(keep_days int) returns int
  language plpgsql security definer set search_path = grantlog, pg_temp set lock_timeout = '2s' as $$
declare
  suffix text;
  kept boolean;
  dropped int := 0;
begin
  perform pg_advisory_xact_lock(hashtext('grantlog.ensure_delivery_weeks'));
  for suffix in
    select substr(c.relname, length('delivery_') + 1)
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'grantlog.delivery'::regclass and c.relname ~ '^delivery_\d{4}_\d{2}$'
  loop
    continue when to_date(suffix, 'IYYY_IW') + 7 + keep_days > (now() at time zone 'utc')::date;
    execute format('select exists (select 1 from %I where finished_at is null or finished_at > now() - make_interval(days => $1))',
      'delivery_' || suffix) into kept using keep_days;
    continue when kept;
    execute format('drop table %I, %I', 'delivery_' || suffix, 'attempt_' || suffix);
    dropped := dropped + 1;
  end loop;
  delete from attempt_before a using delivery_before d
    where d.platform = a.platform and d.id = a.delivery and d.finished_at < now() - make_interval(days => keep_days);
  delete from delivery_before where finished_at < now() - make_interval(days => keep_days);
  return dropped;
end $$;

revoke all on projection, grant_list, grant_list_cutoff, endpoint_route, dispatch_grant, endpoint_health, delivery, attempt from public;
revoke all on function ensure_delivery_weeks, drop_delivery_weeks from public;
grant select on projection, grant_list, grant_list_cutoff, endpoint_health, delivery, attempt to grantlog_api;
-- The API may ask for a delivery to be made once more; it can neither write one nor change what it says.
grant update (state, lane, due_at, failures, finished_at) on delivery to grantlog_api;
grant select, insert, update, delete on projection, grant_list, grant_list_cutoff, endpoint_route, dispatch_grant, endpoint_health, delivery, attempt
  to grantlog_worker;
grant execute on function ensure_delivery_weeks, drop_delivery_weeks to grantlog_worker;

-- Where BullMQ keeps its wake-ups when there is no Redis. Its tables are made by its own migrations, as this role;
-- a sequence for each queue is made by whoever adds to it first, hence `create`.
create schema if not exists bullmq;
grant usage, create on schema bullmq to grantlog_worker;
alter default privileges in schema bullmq grant select, insert, update, delete, truncate on tables to grantlog_worker;
alter default privileges in schema bullmq grant usage, select on sequences to grantlog_worker;
