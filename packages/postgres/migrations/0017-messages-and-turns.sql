-- What is told of an event is one message, whoever hears it: its id is the `webhook-id`, its body is kept once. A delivery
-- is a message for one endpoint. One worker at a time serves an endpoint: that is a turn, a lease with an epoch as its fence.

create temporary table told on commit drop as select * from delivery;
create temporary table tried on commit drop as select * from attempt;
drop table delivery, attempt;

create table message (
  platform text collate "C" not null,
  id uuid not null,
  position bigint not null,
  -- Counts the messages of one event: a mass revocation has one for each grant.
  ordinal int not null,
  subject uuid not null,
  type text collate "C" not null,
  renderer smallint not null,
  body text not null,
  recorded_at timestamptz not null,
  -- traceparent of the request that caused the event (W3C Trace Context).
  trace text,
  primary key (platform, id)
) partition by range (id);
create index message_position on message (platform, position, ordinal);
create index message_subject on message (platform, subject, position);

-- Who besides the platform itself may read a message: a client, a session, a grant.
create table message_audience (
  platform text collate "C" not null,
  audience uuid not null,
  position bigint not null,
  ordinal int not null,
  id uuid not null,
  primary key (platform, audience, position, ordinal, id)
) partition by range (id);

-- What is still to be delivered. A table that stays small, whatever was delivered before.
create table delivery (
  platform text collate "C" not null,
  endpoint uuid not null,
  id uuid not null,
  lane smallint not null check (lane between 0 and 2),
  position bigint not null,
  -- The message's subject, where the endpoint wants order or nothing stale; others do not pay for the index.
  line uuid,
  -- Whether its success proves the endpoint's URL.
  proves boolean not null default false,
  state text not null default 'pending' check (state in ('held', 'pending')),
  attempt int not null default 0,
  failures int not null default 0,
  created_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  primary key (platform, id, endpoint)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
-- Due work of one endpoint and lane, and by a skip scan, which endpoints and lanes have any.
create index delivery_due on delivery (platform, endpoint, lane, due_at, position) where state = 'pending';
create index delivery_line on delivery (platform, endpoint, line, position) where line is not null;
create index delivery_held on delivery (platform, endpoint) where state = 'held';

-- What was delivered, or will not be.
create table delivery_done (
  platform text collate "C" not null,
  endpoint uuid not null,
  id uuid not null,
  lane smallint not null,
  position bigint not null,
  proves boolean not null,
  state text not null check (state in ('delivered', 'failed', 'stopped', 'superseded', 'abandoned')),
  attempt int not null,
  created_at timestamptz not null,
  finished_at timestamptz not null default now(),
  primary key (platform, id, endpoint)
) partition by range (id);
create index delivery_done_endpoint on delivery_done (platform, endpoint, id);
create index delivery_undelivered on delivery_done (platform, endpoint, id) where state <> 'delivered';

create table attempt (
  platform text collate "C" not null,
  endpoint uuid not null,
  id uuid not null,
  attempt int not null,
  outcome text not null check (outcome in ('delivered', 'rejected', 'gone', 'stopped', 'unreachable', 'refused', 'lost')),
  status smallint,
  -- Fixed text that the endpoint's owner may read.
  detail text not null,
  duration_ms int,
  -- What the receiver answered, cut; nothing that we had sent it is repeated here.
  response text,
  began_at timestamptz not null,
  primary key (platform, endpoint, id, attempt)
) partition by range (id);

-- What the workers keep of an endpoint: who serves it, what is in their hands, and how it answers.
create table endpoint_work (
  platform text collate "C" not null,
  endpoint uuid not null,
  holder uuid,
  epoch bigint not null default 0,
  held_until timestamptz,
  -- Wake-ups that arrived elsewhere while somebody held the turn.
  wanted int not null default 0,
  claimed uuid[] not null default '{}',
  tokens real,
  tokens_at timestamptz,
  consecutive_failures int not null default 0,
  failing_since timestamptz,
  -- The circuit is open until then; one probe goes out afterwards.
  open_until timestamptz,
  last_success_at timestamptz,
  last_failure_at timestamptz,
  primary key (platform, endpoint)
) with (fillfactor = 50);
insert into endpoint_work (platform, endpoint, consecutive_failures, failing_since, open_until, last_success_at, last_failure_at)
  select platform, endpoint, consecutive_failures, failing_since, open_until, last_success_at, last_failure_at from endpoint_health;
drop table endpoint_health;

create or replace function ensure_delivery_weeks(ahead int) returns int
  language plpgsql security definer set search_path = grantlog, pg_temp as $$
declare
  week timestamptz := date_trunc('week', now() at time zone 'utc') at time zone 'utc';
  suffix text;
  parent text;
  made int := 0;
begin
  perform pg_advisory_xact_lock(hashtext('grantlog.ensure_delivery_weeks'));
  foreach parent in array array['message', 'message_audience', 'delivery_done', 'attempt'] loop
    if to_regclass('grantlog.' || parent || '_before') is null then
      execute format('create table %I partition of %I for values from (minvalue) to (%L)', parent || '_before', parent, uuid_v7_floor(week));
      made := made + 1;
    end if;
  end loop;
  for i in 0 .. ahead loop
    suffix := to_char(week at time zone 'utc', 'IYYY_IW');
    if to_regclass('grantlog.message_' || suffix) is null then
      foreach parent in array array['message', 'message_audience', 'delivery_done', 'attempt'] loop
        execute format('create table %I partition of %I for values from (%L) to (%L)', parent || '_' || suffix, parent,
          uuid_v7_floor(week), uuid_v7_floor(week + interval '7 days'));
        made := made + 1;
      end loop;
    end if;
    week := week + interval '7 days';
  end loop;
  return made;
end $$;
select ensure_delivery_weeks(4);

-- Drops each week in which everything has been finished for so many days. A week with unfinished work stays.
create or replace function drop_delivery_weeks(keep_days int) returns int
  language plpgsql security definer set search_path = grantlog, pg_temp set lock_timeout = '2s' as $$
declare
  suffix text;
  week timestamptz;
  kept boolean;
  dropped int := 0;
begin
  perform pg_advisory_xact_lock(hashtext('grantlog.ensure_delivery_weeks'));
  for suffix in
    select substr(c.relname, length('message_') + 1)
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'grantlog.message'::regclass and c.relname ~ '^message_\d{4}_\d{2}$'
  loop
    week := to_date(suffix, 'IYYY_IW')::timestamp at time zone 'utc';
    continue when week + interval '7 days' + make_interval(days => keep_days) > now();
    execute format('select exists (select 1 from %I where finished_at > now() - make_interval(days => $1))
      or exists (select 1 from delivery where id >= $2 and id < $3)', 'delivery_done_' || suffix)
      into kept using keep_days, uuid_v7_floor(week), uuid_v7_floor(week + interval '7 days');
    continue when kept;
    execute format('drop table %I, %I, %I, %I', 'attempt_' || suffix, 'delivery_done_' || suffix, 'message_audience_' || suffix, 'message_' || suffix);
    dropped := dropped + 1;
  end loop;
  -- What was restored from before the first week is few, and goes row by row.
  delete from attempt_before a using delivery_done_before d
    where d.platform = a.platform and d.endpoint = a.endpoint and d.id = a.id and d.finished_at < now() - make_interval(days => keep_days);
  delete from delivery_done_before where finished_at < now() - make_interval(days => keep_days);
  delete from message_audience_before a where a.id < uuid_v7_floor(now() - make_interval(days => keep_days))
    and not exists (select 1 from delivery_done_before d where d.platform = a.platform and d.id = a.id)
    and not exists (select 1 from delivery d where d.platform = a.platform and d.id = a.id);
  delete from message_before m where m.id < uuid_v7_floor(now() - make_interval(days => keep_days))
    and not exists (select 1 from delivery_done_before d where d.platform = m.platform and d.id = m.id)
    and not exists (select 1 from delivery d where d.platform = m.platform and d.id = m.id);
  return dropped;
end $$;

-- What was on its way goes on, under the id that its receiver may know already.
insert into message (platform, id, position, ordinal, subject, type, renderer, body, recorded_at)
  select platform, id, position, 0, subject, type, renderer, body, created_at from told;
insert into delivery (platform, endpoint, id, lane, position, proves, attempt, failures, created_at, due_at)
  select platform, endpoint, id, lane, position, type = 'webhook_endpoint.verification', attempt, failures, created_at, due_at
  from told where state in ('pending', 'claimed');
insert into delivery_done (platform, endpoint, id, lane, position, proves, state, attempt, created_at, finished_at)
  select platform, endpoint, id, lane, position, type = 'webhook_endpoint.verification', state, attempt, created_at, coalesce(finished_at, now())
  from told where state in ('delivered', 'failed', 'abandoned');
insert into attempt (platform, endpoint, id, attempt, outcome, status, detail, duration_ms, began_at)
  select a.platform, d.endpoint, a.delivery, a.attempt, a.outcome, a.status, a.detail, a.duration_ms, a.at
  from tried a join told d on d.platform = a.platform and d.id = a.delivery;

/*
 * Takes or keeps the turns of these endpoints, and hands out what is due for those that are the caller's: revocations
 * first, then other first attempts, then retries.
 *
 * An epoch of 0 begins a turn: whatever a former one left in its hands is recorded as a lost attempt and due again. Any
 * other goes on with a turn, or finds that it has passed to somebody else. Whoever holds the turn is told that he is wanted.
 * Steps of their own, so that what is read is read after the lock is held. The planner gets no choice (decision 4).
 */
create function take_deliveries(
  worker uuid, hold_ms float8, platforms text[], endpoints uuid[], epochs bigint[], rooms int[]
) returns table (
  place int, epoch bigint, is_open boolean, consecutive_failures int, tokens real, tokens_age_ms float8,
  id uuid, lane smallint, proves boolean, attempt int, failures int
) language plpgsql set search_path = grantlog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  mine int[];
begin
  -- A turn that a crash of the database forgets is begun again; nobody waits for a disk.
  perform set_config('synchronous_commit', 'off', true);
  insert into endpoint_work as w (platform, endpoint, holder, epoch, held_until, wanted)
  select a.platform, a.endpoint, worker, 1, clock_timestamp() + make_interval(secs => hold_ms / 1000), a.epoch
  from unnest(platforms, endpoints, epochs) as a(platform, endpoint, epoch)
  order by a.platform, a.endpoint
  on conflict (platform, endpoint) do update set
    -- `excluded.wanted` is the epoch that the caller goes on with.
    wanted = case
      when w.holder = worker or w.held_until is null or w.held_until <= clock_timestamp() then 0
      else w.wanted + 1
    end,
    epoch = case
      when excluded.wanted = 0 and (w.holder = worker or w.held_until is null or w.held_until <= clock_timestamp()) then w.epoch + 1
      else w.epoch
    end,
    holder = case
      when excluded.wanted = 0 and (w.holder = worker or w.held_until is null or w.held_until <= clock_timestamp()) then worker
      else w.holder
    end,
    held_until = case
      when w.holder = worker and (excluded.wanted = 0 or excluded.wanted = w.epoch)
        or excluded.wanted = 0 and (w.held_until is null or w.held_until <= clock_timestamp()) then excluded.held_until
      else w.held_until
    end;

  select array_agg(a.place::int) into mine
  from unnest(platforms, endpoints, epochs) with ordinality as a(platform, endpoint, epoch, place)
  join endpoint_work w on w.platform = a.platform and w.endpoint = a.endpoint
  where w.holder = worker and (a.epoch = 0 or a.epoch = w.epoch);
  if mine is null then return; end if;

  if exists (
    select 1 from unnest(mine) as m(place)
    join endpoint_work w on w.platform = platforms[m.place] and w.endpoint = endpoints[m.place]
    where epochs[m.place] = 0 and w.claimed <> '{}'
  ) then
    with cut as materialized (
      select w.platform, w.endpoint, c.id
      from unnest(mine) as m(place)
      join endpoint_work w on w.platform = platforms[m.place] and w.endpoint = endpoints[m.place]
      cross join lateral unnest(w.claimed) as c(id)
      where epochs[m.place] = 0
    ), again as (
      update delivery d set attempt = d.attempt + 1 from cut c
      where d.platform = c.platform and d.id = c.id and d.endpoint = c.endpoint
      returning d.platform, d.endpoint, d.id, d.attempt
    )
    insert into attempt (platform, endpoint, id, attempt, outcome, detail, began_at)
    select a.platform, a.endpoint, a.id, a.attempt, 'lost', 'The sender stopped during the attempt; whether it arrived is unknown', now()
    from again a on conflict do nothing;
    update endpoint_work w set claimed = '{}' from unnest(mine) as m(place)
    where w.platform = platforms[m.place] and w.endpoint = endpoints[m.place] and epochs[m.place] = 0 and w.claimed <> '{}';
  end if;

  return query
  with due as materialized (
    select m.place, w.platform, w.endpoint, w.epoch, coalesce(w.open_until > clock_timestamp(), false) as is_open, w.consecutive_failures,
      w.tokens, (extract(epoch from clock_timestamp() - w.tokens_at) * 1000)::float8 as tokens_age_ms,
      d.id, d.lane, d.proves, d.due_at, d.position, d.attempt, d.failures
    from unnest(mine) as m(place)
    join endpoint_work w on w.platform = platforms[m.place] and w.endpoint = endpoints[m.place]
    join endpoint_route r on r.platform = w.platform and r.endpoint = w.endpoint
    left join lateral (
      select f.* from generate_series(0, 2) as l(lane) cross join lateral (
        select d.id, d.lane, d.proves, d.due_at, d.position, d.attempt, d.failures from delivery d
        where d.platform = w.platform and d.endpoint = w.endpoint and d.lane = l.lane and d.state = 'pending' and d.due_at <= now()
          and d.id <> all (w.claimed)
          and (d.proves or r.proven)
          and (not r.ordered or d.line is null or not exists (
            select 1 from delivery h where h.platform = d.platform and h.endpoint = d.endpoint and h.line = d.line and h.position < d.position))
        order by d.due_at, d.position limit rooms[m.place]
      ) f
      where w.open_until is null or w.open_until <= clock_timestamp()
      -- An endpoint whose circuit was open is tried by one delivery.
      limit case when w.open_until is null then rooms[m.place] else least(1, rooms[m.place]) end
    ) d on true
  ), noted as (
    update endpoint_work w set claimed = w.claimed || p.ids
    from (select u.platform, u.endpoint, array_agg(u.id) as ids from due u where u.id is not null group by u.platform, u.endpoint) p
    where w.platform = p.platform and w.endpoint = p.endpoint
  )
  select u.place, u.epoch, u.is_open, u.consecutive_failures, u.tokens, u.tokens_age_ms,
    u.id, u.lane, u.proves, u.attempt, u.failures
  from due u order by u.place, u.lane, u.due_at, u.position;
end $$;

/*
 * Records how attempts ended, what becomes of their deliveries, how their endpoints answer, and goes on with each turn or
 * ends it. Whatever is no longer in the caller's hands changes nothing, so the same call may be made again.
 *
 * A turn that asks to end (`leaves` 1) goes on when something is due or its holder is wanted; 2 ends it in any case, and
 * what was in its hands and not begun is anybody's again.
 */
create function record_attempts(
  worker uuid, hold_ms float8,
  platforms text[], endpoints uuid[], epochs bigint[], leaves int[], token_counts real[],
  answered boolean[], failures_now int[], open_ms float8[], firsts int[], lasts int[],
  places int[], ids uuid[], outcomes text[], statuses int[], details text[], began_ms float8[], durations int[], responses text[],
  states text[], retry_ms float8[]
) returns table (place int, held boolean, is_wanted boolean, failing_since_ms float8, failing_for_ms float8)
  language plpgsql set search_path = grantlog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  mine int[];
  missed bigint;
begin
  -- What a crash of the database forgets of the last second is sent once more, under the same id.
  perform set_config('synchronous_commit', 'off', true);
  select array_agg(l.place) into mine from (
    select a.place::int as place
    from unnest(platforms, endpoints, epochs) with ordinality as a(platform, endpoint, epoch, place)
    join endpoint_work w on w.platform = a.platform and w.endpoint = a.endpoint and w.holder = worker and w.epoch = a.epoch
    order by w.platform, w.endpoint
    for update of w
  ) l;
  if mine is null then return; end if;

  with offered as materialized (
    select platforms[o.place] as platform, endpoints[o.place] as endpoint, o.id, o.outcome, o.status, o.detail, o.began, o.duration, o.response,
      o.state, o.retry
    from unnest(places, ids, outcomes, statuses, details, began_ms, durations, responses, states, retry_ms)
      as o(place, id, outcome, status, detail, began, duration, response, state, retry)
    join endpoint_work w on w.platform = platforms[o.place] and w.endpoint = endpoints[o.place] and o.id = any (w.claimed)
      and w.holder = worker and w.epoch = epochs[o.place]
  ), again as (
    update delivery d set lane = 2, attempt = d.attempt + 1, failures = d.failures + 1, due_at = now() + make_interval(secs => o.retry / 1000)
    from offered o
    where o.state = 'pending' and d.platform = o.platform and d.id = o.id and d.endpoint = o.endpoint
    returning d.platform, d.endpoint, d.id, d.attempt, o.outcome, o.status, o.detail, o.duration, o.response, o.began
  ), ended as (
    delete from delivery d using offered o
    where o.state <> 'pending' and d.platform = o.platform and d.id = o.id and d.endpoint = o.endpoint
    returning d.platform, d.endpoint, d.id, d.lane, d.position, d.proves, d.attempt + 1 as attempt, d.created_at,
      o.state, o.outcome, o.status, o.detail, o.duration, o.response, o.began
  ), done as (
    insert into delivery_done (platform, endpoint, id, lane, position, proves, state, attempt, created_at)
    select platform, endpoint, id, lane, position, proves, state, attempt, created_at from ended
  ), written as (
    insert into attempt (platform, endpoint, id, attempt, outcome, status, detail, duration_ms, response, began_at)
    select platform, endpoint, id, attempt, outcome, status, detail, duration, response, to_timestamp(began / 1000)
    from (
      select platform, endpoint, id, attempt, outcome, status, detail, duration, response, began from ended
      union all
      select platform, endpoint, id, attempt, outcome, status, detail, duration, response, began from again
    ) n
    returning 1
  )
  select (select count(*) from offered) - (select count(*) from written) into missed;

  -- Superseded or abandoned while it was being sent: not tried again, but that it was tried is worth knowing.
  if missed > 0 then
    with offered as materialized (
      select platforms[o.place] as platform, endpoints[o.place] as endpoint, o.id, o.outcome, o.status, o.detail, o.began, o.duration, o.response
      from unnest(places, ids, outcomes, statuses, details, began_ms, durations, responses)
        as o(place, id, outcome, status, detail, began, duration, response)
      join endpoint_work w on w.platform = platforms[o.place] and w.endpoint = endpoints[o.place] and o.id = any (w.claimed)
        and w.holder = worker and w.epoch = epochs[o.place]
    ), late as (
      update delivery_done d set attempt = d.attempt + 1, state = case when o.outcome = 'delivered' then 'delivered' else d.state end
      from offered o
      where d.platform = o.platform and d.id = o.id and d.endpoint = o.endpoint and d.state in ('superseded', 'abandoned')
      returning d.platform, d.endpoint, d.id, d.attempt, o.outcome, o.status, o.detail, o.duration, o.response, o.began
    )
    insert into attempt (platform, endpoint, id, attempt, outcome, status, detail, duration_ms, response, began_at)
    select platform, endpoint, id, attempt, outcome, status, detail, duration, response, to_timestamp(began / 1000) from late
    on conflict do nothing;
  end if;

  -- Read after what was written and locked, by a statement of its own: what was dispatched before a turn ends belongs to it.
  return query
  with told as materialized (
    select m.place, w.platform, w.endpoint,
      -- The attempts of one endpoint stand together, from `firsts` on.
      case when firsts[m.place] is null then w.claimed
        else array(select c.id from unnest(w.claimed) as c(id) where c.id <> all (ids[firsts[m.place]:lasts[m.place]])) end as claimed,
      case when failures_now[m.place] is null then w.open_until
        when open_ms[m.place] is null then null else now() + make_interval(secs => open_ms[m.place] / 1000) end as open_until,
      r.proven, r.ordered
    from unnest(mine) as m(place)
    join endpoint_work w on w.platform = platforms[m.place] and w.endpoint = endpoints[m.place]
    left join endpoint_route r on r.platform = w.platform and r.endpoint = w.endpoint
  ), ending as materialized (
    select t.place, t.platform, t.endpoint, t.claimed, t.open_until, leaves[t.place] = 2 or leaves[t.place] = 1 and t.claimed = '{}' and (t.open_until > now() or not exists (
      select 1 from generate_series(0, 2) as l(lane) cross join lateral (
        select 1 from delivery d where d.platform = t.platform and d.endpoint = t.endpoint and d.lane = l.lane
          and d.state = 'pending' and d.due_at <= now() and (d.proves or t.proven)
          and (not t.ordered or d.line is null or not exists (
            select 1 from delivery h where h.platform = d.platform and h.endpoint = d.endpoint and h.line = d.line
              and h.position < d.position)) limit 1
      ) d)) as ends
    from told t
  )
  update endpoint_work w set
    claimed = case when e.ends and (leaves[e.place] = 2 or w.wanted = 0) then '{}' else e.claimed end,
    holder = case when e.ends and (leaves[e.place] = 2 or w.wanted = 0) then null else w.holder end,
    held_until = case when e.ends and (leaves[e.place] = 2 or w.wanted = 0) then null
      else clock_timestamp() + make_interval(secs => hold_ms / 1000) end,
    tokens = token_counts[e.place],
    tokens_at = case when token_counts[e.place] is null then null else clock_timestamp() end,
    consecutive_failures = coalesce(failures_now[e.place], w.consecutive_failures),
    failing_since = case when failures_now[e.place] is null then w.failing_since when failures_now[e.place] = 0 then null
      when answered[e.place] then now() else coalesce(w.failing_since, now()) end,
    last_success_at = case when answered[e.place] then now() else w.last_success_at end,
    last_failure_at = case when failures_now[e.place] > 0 then now() else w.last_failure_at end,
    open_until = e.open_until
  from ending e
  where w.platform = e.platform and w.endpoint = e.endpoint
  returning e.place, coalesce(w.holder = worker, false), w.wanted > 0, (extract(epoch from w.failing_since) * 1000)::float8,
    (extract(epoch from now() - w.failing_since) * 1000)::float8;
end $$;

revoke all on message, message_audience, delivery, delivery_done, attempt, endpoint_work from public;
revoke all on function take_deliveries, record_attempts from public;
grant select on message, message_audience, delivery, delivery_done, attempt, endpoint_work to grantlog_api;
grant select, insert, update, delete on message, message_audience, delivery, delivery_done, attempt, endpoint_work to grantlog_worker;
grant execute on function take_deliveries, record_attempts to grantlog_worker;

-- Makes finished deliveries of one endpoint due once more, under their ids and with a fresh schedule. The API may ask for it;
-- it can neither write a delivery nor change what one says.
create function redeliver(for_platform text, for_endpoint uuid, for_ids uuid[]) returns int
  language sql security definer set search_path = grantlog, pg_temp as $$
  with again as (
    delete from delivery_done d where d.platform = for_platform and d.endpoint = for_endpoint and d.id = any (for_ids)
    returning d.platform, d.endpoint, d.id, d.position, d.proves, d.attempt, d.created_at
  ), due as (
    insert into delivery (platform, endpoint, id, lane, position, proves, attempt, created_at)
    select platform, endpoint, id, 1, position, proves, attempt, created_at from again on conflict do nothing returning 1
  )
  select count(*)::int from due
$$;
revoke all on function redeliver from public;
grant execute on function redeliver to grantlog_api, grantlog_worker;

-- What the dispatcher knows of an endpoint besides what it hears.
alter table endpoint_route
  add column grants uuid[],
  add column proven boolean not null default true,
  add column ordered boolean not null default false,
  add column supersedes boolean not null default false;
create index endpoint_route_of_grants on endpoint_route using gin (grants) where grants is not null;
-- Raised with every change of a platform's routes, so that whoever keeps them in memory knows when to read them again.
create table endpoint_routes_version (platform text collate "C" primary key, version bigint not null);
grant select, insert, update on endpoint_routes_version to grantlog_worker;
