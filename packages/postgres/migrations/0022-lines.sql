-- Order within a line without looking at all of it: what stands behind another delivery is put off by `take_deliveries` (0021),
-- and made due here when that one ends, in whatever way.
create function release_line() returns trigger language plpgsql set search_path = grantlog, pg_temp as $$
begin
  -- One that was tried and waits for its next attempt keeps its time.
  update delivery d set due_at = now()
  where d.platform = old.platform and d.endpoint = old.endpoint and d.line = old.line and d.state = 'pending'
    and d.failures = 0 and d.due_at > now()
    and d.position = (
      select n.position from delivery n
      where n.platform = old.platform and n.endpoint = old.endpoint and n.line = old.line order by n.position limit 1);
  return null;
end $$;
create trigger delivery_release_line after delete on delivery for each row when (old.line is not null) execute function release_line();

-- As before, but whether anything is due is asked of the first two thousand alone where an endpoint wants order: the next take
-- puts off what stands behind others.
create or replace function record_attempts(
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
        select 1 from (
          select d.* from delivery d where d.platform = t.platform and d.endpoint = t.endpoint and d.lane = l.lane
            and d.state = 'pending' and d.due_at <= now() and (d.proves or t.proven)
          order by d.due_at, d.position limit case when t.ordered then 2000 else 1 end
        ) c
        where not t.ordered or c.line is null or not exists (
          select 1 from delivery h where h.platform = c.platform and h.endpoint = c.endpoint and h.line = c.line
            and h.position < c.position) limit 1
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
