-- Appends a batch of commits, each all or nothing, and answers where each one stands that was appended,
-- now or by an earlier asking. A commit without an answer met a conflict.
--
-- The row lock is its own statement: what follows sees every commit of the lock's former holders, and nobody else
-- can append until this transaction has become visible. That makes positions gapless and in commit order.
-- `no key`, because rows that reference the log (checkpoints) take a key share of it and must not hold up an append.
create function append(
  p_platform text,
  p_commit_id uuid[], p_actor text[], p_correlation text[], p_causation text[],
  p_expect_commit int[], p_expect_stream uuid[], p_expect_version int[],
  p_event_commit int[], p_event_stream uuid[], p_event_version int[],
  p_event_type text[], p_event_schema int[], p_event_data text[], p_event_personal text[]
) returns table (commit_no int, first_position bigint, recorded_ms float8)
  language plpgsql security definer
  set search_path = grantlog, pg_temp
  set plan_cache_mode = force_generic_plan
  -- Only an index in the order asked for is left to the planner: its choice cannot flip on a table without statistics.
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set enable_memoize = off set jit = off
  set lock_timeout = '5s'
as $$
#variable_conflict use_column
declare
  v_head bigint;
  v_now timestamptz;
begin
  select l.floor into v_head from log l where l.platform = p_platform for no key update;
  if not found then
    raise exception 'no log for platform %', p_platform using errcode = 'GL001';
  end if;
  v_head := greatest(v_head, (select e.position from event e where e.platform = p_platform order by e.position desc limit 1));
  v_now := clock_timestamp();

  return query
  with offered as materialized (
    select o.commit_no, o.stream_id, o.version, o.type, o.schema_version, o.data, o.personal, o.ordinal
    from unnest(p_event_commit, p_event_stream, p_event_version, p_event_type, p_event_schema, p_event_data, p_event_personal)
      with ordinality as o(commit_no, stream_id, version, type, schema_version, data, personal, ordinal)
  ),
  -- A commit asked for again after a lost reply stands already: its first event carries its id.
  standing as materialized (
    select f.commit_no, e.position, e.recorded_at
    -- A range and an order, where an equality would do: they leave the primary key as the only index that serves.
    from (select distinct on (o.commit_no) o.commit_no, o.stream_id, o.version from offered o order by o.commit_no, o.ordinal) f
    cross join lateral (
      select e.version, e.position, e.recorded_at, e.commit_id from event e
      where e.platform = p_platform and e.stream_id = f.stream_id and e.version >= f.version
      order by e.version limit 1
    ) e
    where e.version = f.version and e.commit_id = p_commit_id[f.commit_no]
  ),
  lost as materialized (
    select distinct x.commit_no
    from unnest(p_expect_commit, p_expect_stream, p_expect_version) as x(commit_no, stream_id, version)
    left join lateral (
      select e.version from event e
      where e.platform = p_platform and e.stream_id = x.stream_id
      order by e.version desc limit 1
    ) current on true
    where coalesce(current.version, 0) <> x.version
  ),
  placed as materialized (
    select o.*, v_head + row_number() over (order by o.ordinal) as position
    from offered o
    where o.commit_no <> all (array(select s.commit_no from standing s))
      and o.commit_no <> all (array(select l.commit_no from lost l))
  ),
  inserted as (
    insert into event (platform, position, stream_id, version, commit_id, type, schema_version, data, personal, actor, correlation_id, causation_id, recorded_at)
    select p_platform, p.position, p.stream_id, p.version, p_commit_id[p.commit_no], p.type, p.schema_version, p.data::jsonb,
      decode(p.personal, 'hex'), p_actor[p.commit_no]::jsonb, p_correlation[p.commit_no], p_causation[p.commit_no], v_now
    from placed p
  )
  select s.commit_no, s.position, (extract(epoch from s.recorded_at) * 1000)::float8 from standing s
  union all
  select p.commit_no, min(p.position), (extract(epoch from v_now) * 1000)::float8 from placed p group by p.commit_no;
end $$;

-- Loads many streams in one round trip: snapshot and the events after it, of each stream asked for and, where asked,
-- of the streams that it names. One snapshot of the database, one plan that cannot flip.
-- Rows: kind 's' a stream (head, snapshot), 'e' an event, 'c' a credential, 'k' a data key.
create function load(
  p_platform text[], p_stream uuid[], p_follow bool[], p_secrets bool[], p_fold_version int, p_use_snapshots bool
) returns table (
  kind "char", platform text, stream_id uuid, version int, event_position bigint, commit_id uuid, type text, schema_version int,
  body text, bytes bytea, actor jsonb, correlation_id text, causation_id text, recorded_ms float8, follows uuid[]
)
  language plpgsql stable
  set search_path = grantlog, pg_temp
  set plan_cache_mode = force_generic_plan
  -- Only an index in the order asked for is left to the planner: its choice cannot flip on a table without statistics.
  set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_incremental_sort = off
  set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set enable_memoize = off set jit = off
as $$
#variable_conflict use_column
begin
  return query
  with asked as materialized (
    select a.platform, a.stream_id, a.follow, a.secrets, s.version, s.follows, s.state, s.mac
    from unnest(p_platform, p_stream, p_follow, p_secrets) as a(platform, stream_id, follow, secrets)
    left join lateral (
      select s.version, s.follows, s.state, s.mac from stream_state s
      where p_use_snapshots and s.platform = a.platform and s.stream_id = a.stream_id and s.fold_version = p_fold_version
      order by s.platform, s.stream_id, s.fold_version limit 1
    ) s on true
  ),
  named as materialized (
    select a.platform, f.stream_id, bool_or(a.secrets) as secrets
    from asked a
    cross join lateral unnest(coalesce(a.follows, (
      select array[(e.data ->> 'client')::uuid, (e.data ->> 'account')::uuid, (e.data ->> 'session')::uuid, (e.data ->> 'owner')::uuid]
      from event e where e.platform = a.platform and e.stream_id = a.stream_id and e.version >= 1
      order by e.version limit 1
    ))) as f(stream_id)
    where a.follow and f.stream_id is not null
    group by a.platform, f.stream_id
  ),
  wanted as materialized (
    select a.platform, a.stream_id, a.secrets, a.version, a.follows, a.state, a.mac from asked a
    union all
    select n.platform, n.stream_id, n.secrets, s.version, s.follows, s.state, s.mac
    from named n
    left join lateral (
      select s.version, s.follows, s.state, s.mac from stream_state s
      where p_use_snapshots and s.platform = n.platform and s.stream_id = n.stream_id and s.fold_version = p_fold_version
      order by s.platform, s.stream_id, s.fold_version limit 1
    ) s on true
  )
  select 's'::"char", w.platform, w.stream_id, w.version, null::bigint, null::uuid, null::text, null::int,
    w.state, w.mac, null::jsonb, null::text, null::text, (extract(epoch from clock_timestamp()) * 1000)::float8, w.follows
  from wanted w
  union all
  select 'e'::"char", w.platform, w.stream_id, e.version, e.position, e.commit_id, e.type, e.schema_version::int,
    e.data::text, e.personal, e.actor, e.correlation_id, e.causation_id, (extract(epoch from e.recorded_at) * 1000)::float8, null::uuid[]
  from wanted w
  cross join lateral (
    select * from event e
    where e.platform = w.platform and e.stream_id = w.stream_id and e.version > coalesce(w.version, 0)
    order by e.version
  ) e
  union all
  select 'c'::"char", w.platform, w.stream_id, null::int, null::bigint, c.id, c.kind, null::int,
    null::text, c.sealed, null::jsonb, null::text, null::text, null::float8, null::uuid[]
  from wanted w
  cross join lateral (
    select distinct on (c.id) c.id, c.kind, c.sealed from credential c
    where c.platform = w.platform and c.owner = w.stream_id
    order by c.id, c.sealed_at desc
  ) c
  where w.secrets
  union all
  select 'k'::"char", w.platform, w.stream_id, null::int, null::bigint, null::uuid, null::text, null::int,
    null::text, k.sealed, null::jsonb, null::text, null::text, null::float8, null::uuid[]
  from wanted w
  cross join lateral (
    select k.sealed from data_key k where k.platform = w.platform and k.subject = w.stream_id
    order by k.platform, k.subject limit 1
  ) k
  where w.secrets;
end $$;

revoke all on all tables in schema grantlog from public;
revoke all on all functions in schema grantlog from public;

grant usage on schema grantlog to grantlog_api, grantlog_worker;
grant select on log, event, stream_state, subscription, credential, data_key to grantlog_api, grantlog_worker;
grant insert on log, credential, data_key to grantlog_api;
grant insert, update, delete on stream_state, subscription to grantlog_worker;
grant insert on credential, data_key to grantlog_worker;
grant delete on credential, data_key to grantlog_worker;
grant execute on function append, load to grantlog_api, grantlog_worker;
grant execute on function ensure_event_months to grantlog_worker;
