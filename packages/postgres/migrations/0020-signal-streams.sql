-- Streams of security events (OpenID Shared Signals): endpoints that are sent SETs, or come and fetch them.

alter table endpoint_route
  -- Whether its receiver polls: what it hears is held until it says that it has it.
  add column polled boolean not null default false,
  -- Accounts of which it hears nothing.
  add column without uuid[] not null default '{}';

-- In which sign-in a person allowed it; null for those from before, and where nobody signed in.
alter table dispatch_grant add column sign_in uuid;

drop index delivery_held;
create index delivery_held on delivery (platform, endpoint, position, id) where state = 'held';

-- Settles what a receiver has fetched: `problems` is null for what it took, and else why it did not. Only what is held for
-- one that polls; the API can neither write a delivery nor change what one says.
create function settle_polled(for_platform text, for_endpoint uuid, for_ids uuid[], problems text[]) returns int
  language sql security definer set search_path = grantlog, pg_temp as $$
  with settled as materialized (
    delete from delivery d using unnest(for_ids, problems) as s(id, problem)
    where d.platform = for_platform and d.id = s.id and d.endpoint = for_endpoint and d.state = 'held'
      and exists (select 1 from endpoint_route r where r.platform = for_platform and r.endpoint = for_endpoint and r.polled)
    returning d.*, s.problem
  ), done as (
    insert into delivery_done (platform, endpoint, id, lane, position, proves, state, attempt, created_at)
    select platform, endpoint, id, lane, position, proves, case when problem is null then 'delivered' else 'failed' end, attempt + 1, created_at
    from settled
  ), written as (
    insert into attempt (platform, endpoint, id, attempt, outcome, detail, began_at)
    select platform, endpoint, id, attempt + 1, case when problem is null then 'delivered' else 'rejected' end,
      coalesce(problem, 'The receiver fetched it and said that it has it'), now()
    from settled
  )
  select count(*)::int from settled
$$;
revoke all on function settle_polled from public;
grant execute on function settle_polled to grantlog_api;

-- As before, and for a receiver that polls where it will find it.
create or replace function redeliver(for_platform text, for_endpoint uuid, for_ids uuid[]) returns int
  language sql security definer set search_path = grantlog, pg_temp as $$
  with again as (
    delete from delivery_done d where d.platform = for_platform and d.endpoint = for_endpoint and d.id = any (for_ids)
    returning d.platform, d.endpoint, d.id, d.position, d.proves, d.attempt, d.created_at
  ), due as (
    insert into delivery (platform, endpoint, id, lane, position, line, proves, state, attempt, created_at)
    select a.platform, a.endpoint, a.id, 1, a.position, case when r.ordered or r.supersedes then m.subject end, a.proves,
      case when r.polled then 'held' else 'pending' end, a.attempt, a.created_at
    from again a
    join message m on m.platform = a.platform and m.id = a.id
    left join endpoint_route r on r.platform = a.platform and r.endpoint = a.endpoint
    on conflict do nothing returning 1
  )
  select count(*)::int from due
$$;
