-- The functions of 0024 look at each entry once instead of twice, ask all keys of an index in one statement, and choose the index by
-- how dense the keys lie where the answer begins. What they answer is what they answered; the cause (0028) is among what
-- is asked for.

drop function audit_plan(text, jsonb, bigint, bigint);
drop function audit_walk(text, boolean);

/*
 * The entries of one index under `k.key`, in the order of the log. The planner gets no choice (decision 4): ranges over all of an
 * index's columns and its own order leave no other index and no sort. $4 and $5 are positions, both inclusive, $6 entries looked at.
 * $1 platform, $2 generation.
 */
create function audit_walk(driver text, newest boolean) returns text language sql stable set search_path = grantlog, pg_temp as $$
  select format(
    $walk$select i.* from audit_entry i where %1$s (i.platform, i.generation, %2$s i.position) >= ($1, $2, %3$s $4)
      and (i.platform, i.generation, %2$s i.position) <= ($1, $2, %3$s $5)
      order by i.platform %4$s, i.generation %4$s, %5$s i.position %4$s limit $6$walk$,
    case when driver in ('account', 'client', 'session', 'ip', 'cause_id') then 'i.' || driver || ' is not null and' end,
    of_driver.key || ',', of_driver.value || ',', of_order, of_driver.key || ' ' || of_order || ',')
  from (select case when newest then 'desc' else 'asc' end) as o(of_order)
  cross join lateral (values
    ('position', null, null),
    ('ip', 'i.ip', $key$decode(k.key, 'hex')$key$),
    ('type', 'i.type', 'k.key'),
    ('actor_id', 'hashtextextended(i.actor_id, 0)', 'hashtextextended(k.key, 0)'),
    ('trace', 'hashtextextended(i.trace, 0)', 'hashtextextended(k.key, 0)'),
    (case when driver in ('stream_id', 'account', 'client', 'session', 'commit_id', 'cause_id') then driver end, 'i.' || driver, 'k.key::uuid')
  ) as of_driver(name, key, value)
  where of_driver.name = driver
$$;

/* Whether an entry `w` is what a filter, $7, and the types of a plan, $8, ask for. */
create function audit_matches() returns text language sql immutable set search_path = grantlog, pg_temp as $$
  select $match$(($7 ->> 'account' is null or w.account = ($7 ->> 'account')::uuid)
    and ($7 ->> 'client' is null or w.client = ($7 ->> 'client')::uuid)
    and ($7 ->> 'session' is null or w.session = ($7 ->> 'session')::uuid)
    and ($7 ->> 'stream_id' is null or w.stream_id = ($7 ->> 'stream_id')::uuid)
    and ($7 ->> 'grant' is null or (w.stream_id = ($7 ->> 'grant')::uuid and w.type like 'grant.%'))
    and ($7 ->> 'actor_kind' is null or w.actor_kind = $7 ->> 'actor_kind')
    and ($7 ->> 'actor_id' is null or w.actor_id = $7 ->> 'actor_id')
    and ($7 ->> 'trace' is null or w.trace = $7 ->> 'trace')
    and ($7 ->> 'commit_id' is null or w.commit_id = ($7 ->> 'commit_id')::uuid)
    and ($7 ->> 'cause_id' is null or w.cause_id = ($7 ->> 'cause_id')::uuid)
    and ($7 ->> 'ip' is null or w.ip = decode($7 ->> 'ip', 'hex'))
    and ($8::text[] is null or w.type = any ($8)))$match$
$$;

/*
 * How a filter is to be looked for: the generation that readers see and the position it has come to, between which positions, by
 * which index and under which of its keys. Several filters: by the one with the fewest entries, as far as those tell that come first.
 * By position, under one key that is null, where there is no filter, where as few positions are left, or where more than every
 * second entry has one of several types. `types`: those that the filter asks for and that there are; null for all.
 */
create function audit_plan(of_platform text, filter jsonb, low_position bigint, high_position bigint, newest boolean default true)
  returns table (generation int, through bigint, low bigint, high bigint, driver text, keys text[], types text[])
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_variable
declare
  wanted jsonb := jsonb_strip_nulls(filter || jsonb_build_object('stream_id', coalesce(filter ->> 'stream_id', filter ->> 'grant')));
  -- Entries of a candidate that are looked at, at least 20 of each key.
  probe constant int := 200;
  candidate text;
  candidates text[];
  candidate_keys text[];
  kind text;
  next_type text;
  share int;
  estimated float8;
  least_estimated float8;
begin
  select p.live_generation, coalesce(s.position, 0) into generation, through from projection p
  left join subscription s on s.platform = p.platform and s.name = p.name || '@' || p.live_generation
  where p.name = 'audit-index' and p.platform = of_platform;
  if not found then
    generation := 0;
    through := 0;
  end if;
  low := greatest(low_position, 0);
  high := least(high_position, through);

  if wanted ? 'since' then
    low := greatest(low, coalesce((
      select i.position from audit_entry i
      where (i.platform, i.generation, i.clock, i.position) >= (of_platform, generation, (wanted ->> 'since')::timestamptz, 0)
        and (i.platform, i.generation) <= (of_platform, generation)
      order by i.platform, i.generation, i.clock, i.position limit 1), high + 1));
  end if;
  if wanted ? 'until' then
    high := least(high, coalesce((
      select i.position from audit_entry i
      where (i.platform, i.generation) >= (of_platform, generation)
        and (i.platform, i.generation, i.clock) <= (of_platform, generation, (wanted ->> 'until')::timestamptz)
      order by i.platform desc, i.generation desc, i.clock desc, i.position desc limit 1), 0));
  end if;

  if wanted ? 'types' or wanted ? 'kinds' then
    types := array(select jsonb_array_elements_text(coalesce(wanted -> 'types', '[]')));
    for kind in select jsonb_array_elements_text(coalesce(wanted -> 'kinds', '[]')) loop
      next_type := kind || '.';
      loop
        select i.type into next_type from audit_entry i
        where (i.platform, i.generation, i.type) > (of_platform, generation, next_type)
          and (i.platform, i.generation, i.type) < (of_platform, generation, kind || '/')
        order by i.platform, i.generation, i.type, i.position limit 1;
        exit when not found;
        if next_type <> all (types) then types := types || next_type; end if;
      end loop;
    end loop;
    wanted := wanted || jsonb_build_object('type', 'any');
  end if;

  driver := 'position';
  keys := array[null::text];
  candidates := array(
    select c from unnest('{cause_id,commit_id,ip,stream_id,trace,session,account,actor_id,type,client}'::text[]) as c where wanted ? c);
  if cardinality(candidates) = 0 or high - low < probe then
    return next;
    return;
  end if;
  foreach candidate in array candidates loop
    candidate_keys := case when candidate = 'type' then types else array[wanted ->> candidate] end;
    if cardinality(candidates) > 1 or cardinality(candidate_keys) > 1 then
      share := greatest(probe / greatest(cardinality(candidate_keys), 1), 20);
      execute 'select sum(case when f.n < $6 then f.n else f.n * ($5 - $4 + 1)::float8 / f.span end) from (
          select count(*) as n, case when $7 then $5 - min(w.position) else max(w.position) - $4 end + 1 as span
          from unnest($3::text[]) as k(key) cross join lateral (' || audit_walk(candidate, newest) || ') w group by k.key
        ) f' into estimated using of_platform, generation, candidate_keys, low, high, share, newest;
      estimated := coalesce(estimated, 0);
    end if;
    if least_estimated is null or estimated < least_estimated then
      driver := candidate;
      keys := candidate_keys;
      least_estimated := estimated;
    end if;
    -- So few that to ask about the others would cost more than to look at these.
    exit when least_estimated <= 50;
  end loop;
  if cardinality(keys) > 1 and least_estimated > (high - low + 1) / 2 then
    driver := 'position';
    keys := array[null::text];
  end if;
  return next;
end $$;

/*
 * One page of entries, nearest first. Rows of `part`: 'b' how far the index has come (in `position`), 'e' an entry, 'l' an entry beyond
 * which nothing was looked at under its key, 'h' the same of one that is no answer. Each key has its share of `budget`, the entries
 * looked at, and several keys have theirs of three times `most`, the entries answered. Stable, so that all of it is read at the
 * instant of the statement that calls it.
 */
create or replace function audit_page(of_platform text, filter jsonb, low_position bigint, high_position bigint, newest boolean, budget int, most int)
  returns table (part text, key text, "position" bigint, clock_ms float8, stream_id uuid, version int, type text, account uuid, client uuid,
    session uuid, actor_kind text, actor_id text, trace text, commit_id uuid, ip bytea)
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set enable_memoize = off set jit = off as $$
#variable_conflict use_column
declare
  plan record;
  share int;
  answers int;
begin
  select * into plan from audit_plan(of_platform, filter, low_position, high_position, newest);
  part := 'b';
  position := plan.through;
  return next;
  if plan.low > plan.high or cardinality(plan.keys) = 0 then return; end if;
  share := greatest(budget / cardinality(plan.keys), 1);
  answers := least(most, greatest(100, 3 * most / cardinality(plan.keys)));
  return query execute 'select case when not w.matches then ''h'' when w.looked = $6 or w.found = $9 then ''l'' else ''e'' end, k.key,
      w.position, (extract(epoch from w.clock) * 1000)::float8, w.stream_id, w.version, w.type, w.account, w.client, w.session,
      w.actor_kind, w.actor_id, w.trace, w.commit_id, w.ip
    from unnest($3::text[]) as k(key) cross join lateral (
      select w.*, row_number() over () as found from (
        select w.*, ' || audit_matches() || ' as matches from (
          select i.*, row_number() over () as looked from (' || audit_walk(plan.driver, newest) || ') i
        ) w
      ) w where w.matches or w.looked = $6 limit $9
    ) w'
    using of_platform, plan.generation, plan.keys, plan.low, plan.high, share, filter, plan.types, answers;
end $$;

/*
 * How many entries of each type there are, among the first `budget` that are looked at from the newest on; `is_exact` when these
 * were all. The last row, of no type, always comes.
 */
create or replace function audit_tally(of_platform text, filter jsonb, low_position bigint, high_position bigint, budget int)
  returns table (through bigint, type text, entries bigint, is_exact boolean)
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set enable_memoize = off set jit = off as $$
#variable_conflict use_column
declare
  plan record;
  share int;
  tallied record;
  looked bigint := 0;
  reached bigint;
  is_more boolean;
begin
  select * into plan from audit_plan(of_platform, filter, low_position, high_position);
  through := plan.through;
  is_exact := true;
  if plan.low <= plan.high and cardinality(plan.keys) > 0 then
    share := greatest(budget / cardinality(plan.keys), 1);
    -- By type alone the index says it all, so that no entry has to be read: then the key stands for the column.
    for tallied in execute 'select k.key, ' || case when plan.driver = 'type' then 'k.key' else 'w.type' end || ' as type,
        count(*) as looked, count(*) filter (where ' || audit_matches() || ') as entries, min(w.position) as reached
      from unnest($3::text[]) as k(key) cross join lateral (' || audit_walk(plan.driver, true) || ') w group by 1, 2'
      using of_platform, plan.generation, plan.keys, plan.low, plan.high, share, filter, case when plan.driver <> 'type' then plan.types end
    loop
      -- Several keys are types, each in a row of its own; else all rows are of one key.
      looked := case when plan.driver = 'type' then 0 else looked end + tallied.looked;
      reached := case when plan.driver = 'type' then tallied.reached else least(reached, tallied.reached) end;
      if looked >= share then
        execute 'select exists (select from unnest($3::text[]) as k(key) cross join lateral (' || audit_walk(plan.driver, true) || ') w)'
          into is_more using of_platform, plan.generation, array[tallied.key], plan.low, reached - 1, 1;
        is_exact := is_exact and not is_more;
      end if;
      if tallied.entries > 0 then
        return query select plan.through, tallied.type::text, tallied.entries::bigint, null::boolean;
      end if;
    end loop;
  end if;
  type := null;
  entries := 0;
  return next;
end $$;

/*
 * Grants that had begun at a position and that no event of their own had ended by then, the latest first, below `before`. Rows of
 * `part` as those of `audit_page`, but 'g' is a grant, 'l' the last that was looked at, and `position` the one of its beginning.
 */
create or replace function audit_grants(of_platform text, at_position bigint, of_client uuid, of_account uuid, before bigint, budget int, most int)
  returns table (part text, "position" bigint, grant_id uuid, client uuid, account uuid, session uuid, ended bigint)
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
  plan record;
  driver text := case when of_account is not null then 'account' when of_client is not null then 'client' end;
begin
  select * into plan from audit_plan(of_platform, '{}', 0, 0);
  part := 'b';
  position := plan.through;
  return next;
  return query execute 'select case when not w.lives then ''h'' when w.looked = $5 then ''l'' else ''g'' end,
      w.began, w.stream_id, w.client, w.account, w.session, w.ended
    from (
      select s.*, row_number() over () as looked, (s.ended is null or s.ended > $6) and ($7::uuid is null or s.client = $7) as lives from (' ||
    format('select s.* from audit_stream s where s.began is not null %1$s
        and (s.platform, s.generation, %2$s s.began) >= ($1, $2, %3$s 0) and (s.platform, s.generation, %2$s s.began) <= ($1, $2, %3$s $4)
        order by s.platform desc, s.generation desc, %4$s s.began desc limit $5',
      case when driver is not null then format('and s.%I is not null', driver) end, case when driver is not null then format('s.%I,', driver) end,
      case when driver is not null then '$3,' end, case when driver is not null then format('s.%I desc,', driver) end) || ') s
    ) w where w.lives or w.looked = $5 limit $8'
    using of_platform, plan.generation, coalesce(of_account, of_client), least(at_position, before - 1), budget, at_position, of_client, most;
end $$;

revoke all on function audit_walk, audit_matches, audit_plan from public;
grant execute on function audit_walk, audit_matches, audit_plan to grantlog_api, grantlog_worker;
