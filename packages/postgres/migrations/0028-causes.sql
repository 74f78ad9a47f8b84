-- What each event of the log led to. Nothing that was recorded before this had a cause, so no entry lacks one.
alter table audit_entry add column cause_id uuid;
create index audit_entry_cause_id on audit_entry (platform, generation, cause_id, position) where cause_id is not null;

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
