-- Whoever was away reads on from where it was: messages in order, for the whole platform, for a client or a session, or of a
-- grant. The id is part of the order, as messages from before 0017 share their place.

drop index message_position;
create index message_position on message (platform, position, ordinal, id);
drop index message_subject;
create index message_subject on message (platform, subject, position, ordinal, id);

/*
 * Messages after a place, in order. One of `reader` (a client, a session) and `about` (a grant) narrows them, neither is the
 * whole platform. The planner gets no choice (decision 4): the index in the order asked for, and nothing read that is not
 * answered. Stable, so that all of it is read at the instant of the statement that calls it.
 */
create function read_feed(
  of_platform text, reader uuid, about uuid, after_position bigint, after_ordinal int, after_id uuid, most int
) returns table (r_position bigint, r_ordinal int, r_id uuid, r_type text, r_body text)
  language plpgsql stable set search_path = grantlog, pg_temp
  set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off
  set plan_cache_mode = force_generic_plan as $$
begin
  if reader is not null then
    return query
    select a.position, a.ordinal, a.id, m.type, m.body
    from (
      select * from message_audience t
      where t.platform = of_platform and t.audience = reader and (t.position, t.ordinal, t.id) > (after_position, after_ordinal, after_id)
      order by t.position, t.ordinal, t.id limit most
    ) a
    cross join lateral (select m.type, m.body from message m where m.platform = of_platform and m.id = a.id) m
    order by a.position, a.ordinal, a.id;
  elsif about is not null then
    return query
    select m.position, m.ordinal, m.id, m.type, m.body from message m
    where m.platform = of_platform and m.subject = about and (m.position, m.ordinal, m.id) > (after_position, after_ordinal, after_id)
    order by m.position, m.ordinal, m.id limit most;
  else
    return query
    select m.position, m.ordinal, m.id, m.type, m.body from message m
    where m.platform = of_platform and (m.position, m.ordinal, m.id) > (after_position, after_ordinal, after_id)
    order by m.position, m.ordinal, m.id limit most;
  end if;
end $$;

-- Since when every message is kept: weeks are dropped whole, and one with unfinished work may outlive a later one.
create function messages_kept_since() returns timestamptz language plpgsql stable set search_path = grantlog, pg_temp as $$
declare
  week timestamptz := date_trunc('week', now() at time zone 'utc') at time zone 'utc';
begin
  while to_regclass('grantlog.message_' || to_char(week at time zone 'utc', 'IYYY_IW')) is not null loop
    week := week - interval '7 days';
  end loop;
  -- None is dropped earlier than that, whether or not it lies in a week of its own.
  return least(week + interval '7 days', now() - interval '30 days');
end $$;

-- Where the feed of a platform begins and ends. `told` is how far the dispatcher has come, `oldest` null where nothing is kept.
create function feed_bounds(of_platform text)
  returns table (lineage uuid, head bigint, told bigint, kept_since timestamptz, oldest bigint)
  language plpgsql stable set search_path = grantlog, pg_temp
  set enable_seqscan = off set enable_sort = off set enable_bitmapscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  since timestamptz := messages_kept_since();
  since_id uuid := uuid_v7_floor(since);
begin
  return query
  select l.lineage,
    greatest(l.floor, (select e.position from event e where e.platform = of_platform order by e.position desc limit 1)),
    coalesce((select s.position from subscription s where s.name = 'dispatcher' and s.platform = of_platform), 0),
    since,
    (select m.position from message m where m.platform = of_platform and m.id >= since_id order by m.position, m.ordinal, m.id limit 1)
  from log l where l.platform = of_platform;
end $$;

revoke all on function read_feed, messages_kept_since, feed_bounds from public;
grant execute on function read_feed, messages_kept_since, feed_bounds, uuid_v7_floor to grantlog_api, grantlog_worker;
