-- Takes turns as before, with two changes. What stands behind another of its line is put off for longer. And an attempt whose
-- end nobody knows is made again at once, for a worker was killed and its endpoint should not wait for that; but one that is lost
-- again and again may be what kills the workers: it waits, longer each time, and the others of its endpoint go on.
create or replace function take_deliveries(
  worker uuid, hold_ms float8, platforms text[], endpoints uuid[], epochs bigint[], rooms int[]
) returns table (
  place int, epoch bigint, is_open boolean, consecutive_failures int, tokens real, tokens_age_ms float8,
  lost int, id uuid, lane smallint, proves boolean, attempt int, failures int
) language plpgsql set search_path = grantlog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
  set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  mine int[];
  -- The place of each lost attempt.
  losses int[] := '{}';
  -- Due deliveries of a lane that are looked at for the first of their lines, where an endpoint wants order.
  looked constant int := 2000;
begin
  -- A turn that a crash of the database forgets is begun again; nobody waits for a disk.
  perform set_config('synchronous_commit', 'off', true);
  insert into endpoint_work as w (platform, endpoint, holder, epoch, held_until, wanted)
  select a.platform, a.endpoint, worker, 1, clock_timestamp() + make_interval(secs => hold_ms / 1000), a.epoch
  from unnest(platforms, endpoints, epochs) as a(platform, endpoint, epoch)
  -- As `record_attempts` locks them, or the two could wait for each other.
  order by a.platform collate "C", a.endpoint
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
      select m.place, w.platform, w.endpoint, c.id
      from unnest(mine) as m(place)
      join endpoint_work w on w.platform = platforms[m.place] and w.endpoint = endpoints[m.place]
      cross join lateral unnest(w.claimed) as c(id)
      where epochs[m.place] = 0
    ), again as (
      update delivery d set attempt = d.attempt + 1, due_at = case
        when p.losses < 3 then d.due_at
        else greatest(d.due_at, now() + least(interval '10 seconds' * 2 ^ least(p.losses - 3, 10), interval '1 hour'))
      end
      from cut c cross join lateral (
        select count(*)::int as losses from attempt a
        where a.platform = c.platform and a.id = c.id and a.endpoint = c.endpoint and a.outcome = 'lost'
      ) p
      where d.platform = c.platform and d.id = c.id and d.endpoint = c.endpoint
      returning c.place, d.platform, d.endpoint, d.id, d.attempt
    ), written as (
      insert into attempt (platform, endpoint, id, attempt, outcome, detail, began_at)
      select a.platform, a.endpoint, a.id, a.attempt, 'lost',
        'The sender stopped before the end of the attempt; whether it was begun, and whether it arrived, is unknown', now()
      from again a on conflict do nothing
    )
    select coalesce(array_agg(a.place), '{}') into losses from again a;
    update endpoint_work w set claimed = '{}' from unnest(mine) as m(place)
    where w.platform = platforms[m.place] and w.endpoint = endpoints[m.place] and epochs[m.place] = 0 and w.claimed <> '{}';
  end if;

  -- What stands behind another of its line is put off, or every take would look at it again. It is due when that ends (see
  -- `release_line`), and ten minutes later at the latest. A minute at least, or a long line would fill every look.
  if exists (
    select 1 from unnest(mine) as m(place)
    join endpoint_route r on r.platform = platforms[m.place] and r.endpoint = endpoints[m.place] and r.ordered
  ) then
    update delivery d set due_at = least(greatest(b.head_due, now() + interval '1 minute'), now() + interval '10 minutes')
    from (
      select k.platform, k.endpoint, k.id, h.due_at as head_due
      from unnest(mine) as m(place)
      join endpoint_work w on w.platform = platforms[m.place] and w.endpoint = endpoints[m.place]
        and (w.open_until is null or w.open_until <= clock_timestamp())
      join endpoint_route r on r.platform = w.platform and r.endpoint = w.endpoint and r.ordered
      cross join generate_series(0, 2) as l(lane)
      cross join lateral (
        select c.platform, c.endpoint, c.id, c.line, c.position from delivery c
        where c.platform = w.platform and c.endpoint = w.endpoint and c.lane = l.lane and c.state = 'pending' and c.due_at <= now()
        order by c.due_at, c.position limit looked for update skip locked
      ) k
      cross join lateral (
        select h.due_at from delivery h
        where h.platform = k.platform and h.endpoint = k.endpoint and h.line = k.line and h.position < k.position
        order by h.position limit 1
      ) h
    ) b
    where d.platform = b.platform and d.id = b.id and d.endpoint = b.endpoint;
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
        select c.id, c.lane, c.proves, c.due_at, c.position, c.attempt, c.failures from (
          select d.* from delivery d
          where d.platform = w.platform and d.endpoint = w.endpoint and d.lane = l.lane and d.state = 'pending' and d.due_at <= now()
            and d.id <> all (w.claimed)
            and (d.proves or r.proven)
          order by d.due_at, d.position limit case when r.ordered then greatest(looked, rooms[m.place]) else rooms[m.place] end
        ) c
        where not r.ordered or c.line is null or not exists (
          select 1 from delivery h where h.platform = c.platform and h.endpoint = c.endpoint and h.line = c.line and h.position < c.position)
        order by c.due_at, c.position limit rooms[m.place]
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
    cardinality(array_positions(losses, u.place)), u.id, u.lane, u.proves, u.attempt, u.failures
  from due u order by u.place, u.lane, u.due_at, u.position;
end $$;
