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
