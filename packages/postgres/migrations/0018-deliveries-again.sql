-- What an operator wants most: whatever was not delivered, of the whole platform, newest first.
create index delivery_unfulfilled on delivery_done (platform, state, id, endpoint) where state <> 'delivered';

-- As before, and in the line of its subject where the endpoint wants order or nothing stale.
create or replace function redeliver(for_platform text, for_endpoint uuid, for_ids uuid[]) returns int
  language sql security definer set search_path = grantlog, pg_temp as $$
  with again as (
    delete from delivery_done d where d.platform = for_platform and d.endpoint = for_endpoint and d.id = any (for_ids)
    returning d.platform, d.endpoint, d.id, d.position, d.proves, d.attempt, d.created_at
  ), due as (
    insert into delivery (platform, endpoint, id, lane, position, line, proves, attempt, created_at)
    select a.platform, a.endpoint, a.id, 1, a.position, case when r.ordered or r.supersedes then m.subject end, a.proves, a.attempt, a.created_at
    from again a
    join message m on m.platform = a.platform and m.id = a.id
    left join endpoint_route r on r.platform = a.platform and r.endpoint = a.endpoint
    on conflict do nothing returning 1
  )
  select count(*)::int from due
$$;

-- An endpoint is sent once more what it missed: where that stands, and how fast it may go on.
create table endpoint_recovery (
  platform text collate "C" not null,
  endpoint uuid not null,
  id uuid not null,
  state text not null default 'running' check (state in ('running', 'done', 'cancelled')),
  first_position bigint not null,
  last_position bigint not null,
  -- The message that was looked at last.
  position bigint not null,
  ordinal int not null,
  rate int not null,
  include_delivered boolean not null,
  examined bigint not null default 0,
  again bigint not null default 0,
  -- What it may make due at once, as of then.
  tokens real not null default 0,
  tokens_at timestamptz not null default now(),
  requested_at timestamptz not null,
  finished_at timestamptz,
  primary key (platform, endpoint, id)
);
create unique index endpoint_recovery_running on endpoint_recovery (platform, endpoint) where state = 'running';
revoke all on endpoint_recovery from public;
grant select on endpoint_recovery to grantlog_api;
grant select, insert, update on endpoint_recovery to grantlog_worker;
