-- What each event of the log led to. Nothing that was recorded before this had a cause, so no entry lacks one.
alter table audit_entry add column cause_id uuid;
create index audit_entry_cause_id on audit_entry (platform, generation, cause_id, position) where cause_id is not null;

-- As in migration 0024, with the cause among what is asked for.
create or replace function audit_walk(driver text, newest boolean) returns text language sql stable set search_path = grantlog, pg_temp as $$
  select format(
    $walk$select w.* from (
      select i.* from audit_entry i where %1$s (i.platform, i.generation, %2$s i.position) >= ($1, $2, %3$s $4)
        and (i.platform, i.generation, %2$s i.position) <= ($1, $2, %3$s $5)
      order by i.platform %4$s, i.generation %4$s, %5$s i.position %4$s limit $6
    ) w where ($7 ->> 'account' is null or w.account = ($7 ->> 'account')::uuid)
      and ($7 ->> 'client' is null or w.client = ($7 ->> 'client')::uuid)
      and ($7 ->> 'session' is null or w.session = ($7 ->> 'session')::uuid)
      and ($7 ->> 'stream_id' is null or w.stream_id = ($7 ->> 'stream_id')::uuid)
      and ($7 ->> 'grant' is null or (w.stream_id = ($7 ->> 'grant')::uuid and w.type like 'grant.%%'))
      and ($7 ->> 'actor_kind' is null or w.actor_kind = $7 ->> 'actor_kind')
      and ($7 ->> 'actor_id' is null or w.actor_id = $7 ->> 'actor_id')
      and ($7 ->> 'trace' is null or w.trace = $7 ->> 'trace')
      and ($7 ->> 'commit_id' is null or w.commit_id = ($7 ->> 'commit_id')::uuid)
      and ($7 ->> 'cause_id' is null or w.cause_id = ($7 ->> 'cause_id')::uuid)
      and ($7 ->> 'ip' is null or w.ip = decode($7 ->> 'ip', 'hex'))
      and ($8::text[] is null or w.type = any ($8))$walk$,
    case when driver in ('account', 'client', 'session', 'ip', 'cause_id') then 'i.' || driver || ' is not null and' end,
    of_driver.key || ',', of_driver.value || ',', of_order, of_driver.key || ' ' || of_order || ',')
  from (select case when newest then 'desc' else 'asc' end) as o(of_order)
  cross join lateral (values
    ('position', null, null),
    ('ip', 'i.ip', $key$decode($3, 'hex')$key$),
    ('type', 'i.type', '$3'),
    ('actor_id', 'hashtextextended(i.actor_id, 0)', 'hashtextextended($3, 0)'),
    ('trace', 'hashtextextended(i.trace, 0)', 'hashtextextended($3, 0)'),
    (case when driver in ('stream_id', 'account', 'client', 'session', 'commit_id', 'cause_id') then driver end, 'i.' || driver, '$3::uuid')
  ) as of_driver(name, key, value)
  where of_driver.name = driver
$$;

create or replace function audit_plan(of_platform text, filter jsonb, low_position bigint, high_position bigint)
  returns table (generation int, through bigint, low bigint, high bigint, driver text, keys text[], types text[])
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_variable
declare
  wanted jsonb := jsonb_strip_nulls(filter || jsonb_build_object('stream_id', coalesce(filter ->> 'stream_id', filter ->> 'grant')));
  candidate text;
  candidates text[];
  candidate_keys text[];
  candidate_key text;
  kind text;
  next_type text;
  counted bigint;
  more bigint;
  least_counted bigint;
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
  foreach candidate in array candidates loop
    candidate_keys := case when candidate = 'type' then types else array[wanted ->> candidate] end;
    counted := 0;
    if cardinality(candidates) > 1 then
      foreach candidate_key in array candidate_keys loop
        exit when counted >= least(least_counted, 2000);
        execute 'select count(*) from (' || audit_walk(candidate, true) || ') w' into more
          using of_platform, generation, candidate_key, low, high, least(least_counted, 2000) - counted, '{}'::jsonb, null::text[];
        counted := counted + more;
      end loop;
    end if;
    if least_counted is null or counted < least_counted then
      driver := candidate;
      keys := candidate_keys;
      least_counted := counted;
    end if;
    -- So few that to count the others would cost more than to look at these.
    exit when least_counted <= 50;
  end loop;
  return next;
end $$;

/*
 * The entries that came of these commits, at most so many of each, in the order of the log under each; and in a row without a stream how
 * far the index has come.
 */
create function audit_caused(of_platform text, causes uuid[], most int)
  returns table ("position" bigint, stream_id uuid, version int, account uuid)
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set enable_memoize = off set jit = off as $$
#variable_conflict use_column
declare
  plan record;
begin
  select * into plan from audit_plan(of_platform, '{}', 0, 0);
  position := plan.through;
  return next;
  return query
  select w.position, w.stream_id, w.version, w.account
  from unnest(causes) as c(cause)
  cross join lateral (
    select i.* from audit_entry i
    where i.cause_id is not null and (i.platform, i.generation, i.cause_id, i.position) >= (of_platform, plan.generation, c.cause, 0)
      and (i.platform, i.generation, i.cause_id) <= (of_platform, plan.generation, c.cause)
    order by i.platform, i.generation, i.cause_id, i.position limit most
  ) w;
end $$;

-- The sealed parts of the events at these places of the log, each by the primary key.
create function audit_personal(of_platform text, streams uuid[], versions int[])
  returns table (stream_id uuid, version int, personal bytea)
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set enable_memoize = off set jit = off as $$
#variable_conflict use_column
begin
  return query
  select e.stream_id, e.version, e.personal
  from unnest(streams, versions) as a(stream_id, version)
  cross join lateral (
    select * from event e where e.platform = of_platform and e.stream_id = a.stream_id and e.version >= a.version order by e.version limit 1
  ) e
  where e.version = a.version and e.personal is not null;
end $$;

-- Who was told of the events at these positions, in their order, at most so many deliveries.
create function deliveries_of(of_platform text, positions bigint[], most int)
  returns table (id uuid, endpoint uuid, type text, subject uuid, "position" bigint, state text, attempt int, created_at timestamptz,
    due_at timestamptz, finished_at timestamptz, trace text)
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set enable_memoize = off set jit = off as $$
#variable_conflict use_column
begin
  return query
  select m.id, d.endpoint, m.type, m.subject, m.position, d.state, d.attempt, d.created_at, d.due_at, d.finished_at, m.trace
  from unnest(positions) as p(at)
  cross join lateral (select * from message s where s.platform = of_platform and s.position = p.at) m
  cross join lateral (
    select s.endpoint, s.state, s.attempt, s.created_at, case when s.state = 'pending' then s.due_at end as due_at,
      null::timestamptz as finished_at
    from delivery s where s.platform = of_platform and s.id = m.id
    union all
    select s.endpoint, s.state, s.attempt, s.created_at, null, s.finished_at
    from delivery_done s where s.platform = of_platform and s.id = m.id
  ) d
  limit most;
end $$;

revoke all on function audit_caused, audit_personal, deliveries_of from public;
grant execute on function audit_caused, audit_personal, deliveries_of to grantlog_api, grantlog_worker;
