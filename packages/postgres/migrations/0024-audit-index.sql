-- Where everything that concerns somebody stands in the log: one row an event, so that ten million can be asked. Not truth: a
-- function of the log, rebuilt beside the live rows. What an event says is read from the log itself.

create table audit_entry (
  platform text collate "C" not null,
  generation int not null,
  position bigint not null,
  -- The latest time at which anything up to here was recorded: unlike `recorded_at` it never steps back, so that the order of
  -- times is the order of positions.
  clock timestamptz not null,
  stream_id uuid not null,
  version int not null,
  type text collate "C" not null,
  account uuid,
  client uuid,
  session uuid,
  actor_kind text collate "C" not null,
  actor_id text collate "C" not null,
  trace text collate "C" not null,
  commit_id uuid not null,
  -- A keyed hash of the address that the event came from; never there without the data key that opens the address itself.
  ip bytea check (octet_length(ip) = 16),
  primary key (platform, generation, position)
) with (autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 100000);
create index audit_entry_clock on audit_entry (platform, generation, clock, position);
-- A grant is found by its stream as well: what concerns a grant stands nowhere else.
create index audit_entry_stream_id on audit_entry (platform, generation, stream_id, position);
create index audit_entry_type on audit_entry (platform, generation, type, position);
-- Texts of forty characters would make these indexes the largest; who is found by a hash is compared in the row as well.
create index audit_entry_actor_id on audit_entry (platform, generation, hashtextextended(actor_id, 0), position);
create index audit_entry_trace on audit_entry (platform, generation, hashtextextended(trace, 0), position);
create index audit_entry_commit_id on audit_entry (platform, generation, commit_id, position);
create index audit_entry_account on audit_entry (platform, generation, account, position) where account is not null;
create index audit_entry_client on audit_entry (platform, generation, client, position) where client is not null;
create index audit_entry_session on audit_entry (platform, generation, session, position) where session is not null;
create index audit_entry_ip on audit_entry (platform, generation, ip, position) where ip is not null;

-- Whom a stream concerns as of its last event, for the events of it that do not say; and for grants, from when to when they were.
create table audit_stream (
  platform text collate "C" not null,
  generation int not null,
  stream_id uuid not null,
  account uuid,
  client uuid,
  session uuid,
  -- Of a grant, the position of its first event, and of the one that ended it; null for every other stream.
  began bigint,
  ended bigint,
  primary key (platform, generation, stream_id)
) with (fillfactor = 90);
create index audit_stream_began on audit_stream (platform, generation, began) where began is not null;
create index audit_stream_client on audit_stream (platform, generation, client, began) where client is not null and began is not null;
create index audit_stream_account on audit_stream (platform, generation, account, began) where account is not null and began is not null;

-- A hash lives no longer than the data key that opens its address, in whatever generation. Who writes entries shares a lock of
-- the key meanwhile (hold-data-keys.ts), so that none can appear after this has looked.
create function forget_addresses() returns trigger language plpgsql set search_path = grantlog, pg_temp
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
declare
  last int := (select max(greatest(p.live_generation, p.building_generation)) from projection p
    where p.name = 'audit-index' and p.platform = old.platform);
  found_at bigint[];
begin
  for of_generation in 1 .. coalesce(last, 0) loop
    found_at := array(
      select i.position from audit_entry i
      where i.ip is not null and i.account is not null
        and (i.platform, i.generation, i.account, i.position) >= (old.platform, of_generation, old.subject, 0)
        and (i.platform, i.generation, i.account) <= (old.platform, of_generation, old.subject)
      order by i.platform, i.generation, i.account, i.position
    ) || array(
      select i.position from audit_entry i
      where i.ip is not null
        and (i.platform, i.generation, i.stream_id, i.position) >= (old.platform, of_generation, old.subject, 0)
        and (i.platform, i.generation, i.stream_id) <= (old.platform, of_generation, old.subject)
      order by i.platform, i.generation, i.stream_id, i.position
    );
    update audit_entry i set ip = null where i.platform = old.platform and i.generation = of_generation and i.position = any (found_at);
  end loop;
  return null;
end $$;
create trigger data_key_forget_addresses after delete on data_key for each row execute function forget_addresses();

/*
 * A statement that walks one index in the order of the log and keeps what the filter asks for. The planner gets no choice
 * (decision 4): ranges over all of an index's columns and its own order leave no other index and no sort.
 * $1 platform, $2 generation, $3 key, $4 and $5 positions, both inclusive, $6 entries looked at, $7 filter, $8 types.
 */
create function audit_walk(driver text, newest boolean) returns text language sql stable set search_path = grantlog, pg_temp as $$
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
      and ($7 ->> 'ip' is null or w.ip = decode($7 ->> 'ip', 'hex'))
      and ($8::text[] is null or w.type = any ($8))$walk$,
    case when driver in ('account', 'client', 'session', 'ip') then 'i.' || driver || ' is not null and' end,
    of_driver.key || ',', of_driver.value || ',', of_order, of_driver.key || ' ' || of_order || ',')
  from (select case when newest then 'desc' else 'asc' end) as o(of_order)
  cross join lateral (values
    ('position', null, null),
    ('ip', 'i.ip', $key$decode($3, 'hex')$key$),
    ('type', 'i.type', '$3'),
    ('actor_id', 'hashtextextended(i.actor_id, 0)', 'hashtextextended($3, 0)'),
    ('trace', 'hashtextextended(i.trace, 0)', 'hashtextextended($3, 0)'),
    (case when driver in ('stream_id', 'account', 'client', 'session', 'commit_id') then driver end, 'i.' || driver, '$3::uuid')
  ) as of_driver(name, key, value)
  where of_driver.name = driver
$$;

/*
 * How a filter is to be looked for: the generation that readers see and the position it has come to, between which positions, by
 * which index and under which of its keys. Several filters: by the one with the fewest entries, as far as 2,000 of each tell.
 * Without any: by position, under one key that is null. `types`: those that the filter asks for and that there are; null for all.
 */
create function audit_plan(of_platform text, filter jsonb, low_position bigint, high_position bigint)
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
    select c from unnest('{commit_id,ip,stream_id,trace,session,account,actor_id,type,client}'::text[]) as c where wanted ? c);
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
 * One page of entries, nearest first. Rows of `part`: 'b' how far the index has come (in `position`), 'e' an entry, 'h' that there
 * may be more under its key: beyond `position`, as nothing was looked at there, or where that is null beyond the key's last entry.
 * Each key has its share of `budget`, the entries looked at, and several keys have theirs of three times `most`, the entries
 * answered. Stable, so that all of it is read at the instant of the statement that calls it.
 */
create function audit_page(of_platform text, filter jsonb, low_position bigint, high_position bigint, newest boolean, budget int, most int)
  returns table (part text, key text, "position" bigint, clock_ms float8, stream_id uuid, version int, type text, account uuid, client uuid,
    session uuid, actor_kind text, actor_id text, trace text, commit_id uuid, ip bytea)
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
  plan record;
  walk text;
  of_key text;
  share int;
  answers int;
  found_here bigint;
begin
  select * into plan from audit_plan(of_platform, filter, low_position, high_position);
  part := 'b';
  position := plan.through;
  return next;
  if plan.low > plan.high or cardinality(plan.keys) = 0 then return; end if;
  walk := audit_walk(plan.driver, newest);
  share := greatest(budget / cardinality(plan.keys), 1);
  answers := least(most, greatest(100, 3 * most / cardinality(plan.keys)));
  foreach of_key in array plan.keys loop
    return query execute 'select ''e'', $3, w.position, (extract(epoch from w.clock) * 1000)::float8, w.stream_id, w.version, w.type,
        w.account, w.client, w.session, w.actor_kind, w.actor_id, w.trace, w.commit_id, w.ip from (' || walk || ' limit $9) w'
      using of_platform, plan.generation, of_key, plan.low, plan.high, share, filter, plan.types, answers;
    get diagnostics found_here = row_count;
    part := 'h';
    key := of_key;
    position := null;
    if found_here = answers then
      return next;
    else
      execute 'select w.position from (' || walk || ') w offset $6 - 1'
        into position using of_platform, plan.generation, of_key, plan.low, plan.high, share, '{}'::jsonb, null::text[];
      if position is not null then return next; end if;
    end if;
  end loop;
end $$;

/*
 * How many entries of each type there are, among the first `budget` that are looked at from the newest on; `is_exact` when these
 * were all. The first row, of no type, always comes.
 */
create function audit_tally(of_platform text, filter jsonb, low_position bigint, high_position bigint, budget int)
  returns table (through bigint, type text, entries bigint, is_exact boolean)
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
  plan record;
  walk text;
  of_key text;
  share int;
  beyond bigint;
begin
  select * into plan from audit_plan(of_platform, filter, low_position, high_position);
  through := plan.through;
  is_exact := true;
  if plan.low <= plan.high then
    share := greatest(budget / greatest(cardinality(plan.keys), 1), 1);
    walk := audit_walk(plan.driver, true);
    foreach of_key in array plan.keys loop
      return query execute 'select $9, w.type, count(*), null::boolean from (' || walk || ') w group by w.type'
        using of_platform, plan.generation, of_key, plan.low, plan.high, share, filter, plan.types, plan.through;
      execute 'select w.position from (' || walk || ') w offset $6 - 1'
        into beyond using of_platform, plan.generation, of_key, plan.low, plan.high, share + 1, '{}'::jsonb, null::text[];
      is_exact := is_exact and beyond is null;
    end loop;
  end if;
  entries := 0;
  return next;
end $$;

/*
 * Grants that had begun at a position and that no event of their own had ended by then, the latest first, below `before`. Rows of
 * `part` as those of `audit_page`, but 'g' is a grant, and `position` the one of its beginning.
 */
create function audit_grants(of_platform text, at_position bigint, of_client uuid, of_account uuid, before bigint, budget int, most int)
  returns table (part text, "position" bigint, grant_id uuid, client uuid, account uuid, session uuid, ended bigint)
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
#variable_conflict use_column
declare
  plan record;
  driver text := case when of_account is not null then 'account' when of_client is not null then 'client' end;
  walk text;
  key uuid := coalesce(of_account, of_client);
  high bigint := least(at_position, before - 1);
  found_here bigint;
begin
  select * into plan from audit_plan(of_platform, '{}', 0, 0);
  part := 'b';
  position := plan.through;
  return next;
  walk := format('select s.* from audit_stream s where s.began is not null %1$s
      and (s.platform, s.generation, %2$s s.began) >= ($1, $2, %3$s 0) and (s.platform, s.generation, %2$s s.began) <= ($1, $2, %3$s $4)
    order by s.platform desc, s.generation desc, %4$s s.began desc limit $5',
    case when driver is not null then format('and s.%I is not null', driver) end, case when driver is not null then format('s.%I,', driver) end,
    case when driver is not null then '$3,' end, case when driver is not null then format('s.%I desc,', driver) end);
  return query execute 'select ''g'', w.began, w.stream_id, w.client, w.account, w.session, w.ended from (' || walk || ') w
      where (w.ended is null or w.ended > $6) and ($7::uuid is null or w.client = $7) limit $8'
    using of_platform, plan.generation, key, high, budget, at_position, of_client, most;
  get diagnostics found_here = row_count;
  if found_here < most then
    execute 'select w.began from (' || walk || ') w offset $5 - 1' into position using of_platform, plan.generation, key, high, budget;
    if position is not null then
      part := 'h';
      return next;
    end if;
  end if;
end $$;

-- What a generation holds before a batch: the clock of its last entry, in a row without a stream, and these streams.
create function audit_standing(of_platform text, of_generation int, streams uuid[])
  returns table (clock_ms float8, stream_id uuid, account uuid, client uuid, session uuid, began bigint, ended bigint)
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set enable_memoize = off set jit = off as $$
#variable_conflict use_column
begin
  return query
  (select (extract(epoch from i.clock) * 1000)::float8, null::uuid, null::uuid, null::uuid, null::uuid, null::bigint, null::bigint
    from audit_entry i
    where (i.platform, i.generation, i.position) >= (of_platform, of_generation, 0) and (i.platform, i.generation) <= (of_platform, of_generation)
    order by i.platform desc, i.generation desc, i.position desc limit 1)
  union all
  select null, s.stream_id, s.account, s.client, s.session, s.began, s.ended
  from unnest(streams) as a(stream_id)
  cross join lateral (
    select * from audit_stream s where s.platform = of_platform and s.generation = of_generation and s.stream_id = a.stream_id
    order by s.platform, s.generation, s.stream_id limit 1
  ) s;
end $$;

-- The events at these places of the log, each by the primary key.
create function audit_events(of_platform text, streams uuid[], versions int[])
  returns table (stream_id uuid, version int, schema_version int, data jsonb, has_personal boolean, actor jsonb, correlation_id text,
    causation_id text, recorded_ms float8, commit_id uuid, type text, "position" bigint)
  language plpgsql stable set search_path = grantlog, pg_temp set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set enable_memoize = off set jit = off as $$
#variable_conflict use_column
begin
  return query
  select e.stream_id, e.version, e.schema_version::int, e.data, e.personal is not null, e.actor, e.correlation_id, e.causation_id,
    (extract(epoch from e.recorded_at) * 1000)::float8, e.commit_id, e.type, e.position
  from unnest(streams, versions) as a(stream_id, version)
  cross join lateral (
    select * from event e where e.platform = of_platform and e.stream_id = a.stream_id and e.version >= a.version order by e.version limit 1
  ) e
  where e.version = a.version;
end $$;

revoke all on audit_entry, audit_stream from public;
grant select on audit_entry, audit_stream to grantlog_api;
grant select, insert, update, delete on audit_entry, audit_stream to grantlog_worker;
revoke all on function audit_walk, audit_plan, audit_page, audit_tally, audit_grants, audit_events, audit_standing, forget_addresses from public;
grant execute on function audit_walk, audit_plan, audit_page, audit_tally, audit_grants, audit_events to grantlog_api, grantlog_worker;
grant execute on function audit_standing to grantlog_worker;
