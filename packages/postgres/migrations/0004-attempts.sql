-- Counters that bound attempts and exploration. They are not truth: losing them grants and revokes nothing. Where they
-- cannot be read, nobody's password is looked at.

-- Leaky buckets. `key` is a MAC of what is counted, so that the table names no address and no email. Unlogged: a crash
-- empties it, which costs an attacker's budget of a few minutes and saves every attempt a flush.
create unlogged table attempt_bucket (
  platform text collate "C" not null,
  key bytea not null,
  -- How much had been taken at `at`; it drains by `drain` a second, 0 for a gauge, which only counts.
  level float8 not null,
  drain float8 not null,
  at timestamptz not null,
  primary key (platform, key)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- Takes one from each of several buckets, all or nothing, before a password is looked at: of parallel attempts no more
-- than fit are let through. Answers 0, or the seconds until one would fit.
--
-- `p_gauges` are two counters of one account, of this clock hour and of the last one. While they say more than `p_gauge_limit`
-- for the last sixty minutes, the strict capacities and drains hold. An attempt that is let through is counted there.
create function take_attempt(
  p_platform text, p_now timestamptz,
  p_keys bytea[], p_capacities float8[], p_drains float8[], p_strict_capacities float8[], p_strict_drains float8[],
  p_gauges bytea[], p_gauge_limit float8
) returns float8
  language plpgsql
  set search_path = grantlog, pg_temp
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set lock_timeout = '5s'
as $$
declare
  v_gone float8 := extract(epoch from p_now - date_trunc('hour', p_now)) / 3600;
  v_strict boolean;
  v_wait float8;
begin
  select coalesce(sum(b.level * case when g.nth = 1 then 1 else 1 - v_gone end), 0) > p_gauge_limit into v_strict
  from unnest(p_gauges) with ordinality as g(key, nth)
  join lateral (select b.level from attempt_bucket b where b.platform = p_platform and b.key = g.key) b on true;

  -- Whoever is over the budget is told so by a read: a refusal writes nothing.
  select max((greatest(0, b.level - w.drain * greatest(0, extract(epoch from p_now - b.at))) + 1 - w.capacity) / w.drain) into v_wait
  from unnest(
    p_keys, case when v_strict then p_strict_capacities else p_capacities end, case when v_strict then p_strict_drains else p_drains end
  ) as w(key, capacity, drain)
  join lateral (select b.level, b.at from attempt_bucket b where b.platform = p_platform and b.key = w.key) b on true;
  -- What is left of rounding is no reason to wait.
  if v_wait > 1e-3 then return v_wait; end if;

  -- Who came between the read and here is seen now, under the rows' locks, which everybody takes in one order.
  begin
    with wanted as (
      select * from unnest(
        p_keys, case when v_strict then p_strict_capacities else p_capacities end, case when v_strict then p_strict_drains else p_drains end
      ) as w(key, capacity, drain)
    ), taken as (
      insert into attempt_bucket as b (platform, key, level, drain, at)
      select p_platform, w.key, 1, w.drain, p_now from wanted w order by w.key
      on conflict (platform, key) do update set
        level = greatest(0, b.level - excluded.drain * greatest(0, extract(epoch from p_now - b.at))) + 1,
        drain = excluded.drain,
        at = greatest(b.at, p_now)
      returning b.key, b.level
    )
    select max((t.level - w.capacity) / w.drain) into v_wait from taken t join wanted w on w.key = t.key;
    if v_wait > 1e-3 then raise exception 'no room' using errcode = 'GL003'; end if;
  exception when sqlstate 'GL003' then
    return v_wait;
  end;
  if cardinality(p_gauges) > 0 then
    insert into attempt_bucket as b (platform, key, level, drain, at) values (p_platform, p_gauges[1], 1, 0, p_now)
    on conflict (platform, key) do update set level = b.level + 1, at = greatest(b.at, p_now);
  end if;
  return 0;
end $$;

-- Gives back what a right password had taken. Buckets are locked in the order in which they are taken from, the gauge last.
create function give_back_attempt(p_platform text, p_keys bytea[], p_gauge bytea) returns void
  language plpgsql
  set search_path = grantlog, pg_temp
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
  set lock_timeout = '5s'
as $$
declare
  v_key bytea;
begin
  foreach v_key in array (select coalesce(array_agg(k order by k), '{}') from unnest(p_keys) as k) || p_gauge loop
    update attempt_bucket set level = greatest(0, level - 1) where platform = p_platform and key = v_key;
  end loop;
end $$;

-- Deletes buckets that have drained, and gauges that count no more. One that somebody takes from is passed over.
create function delete_idle_attempt_buckets(p_now timestamptz) returns int
  language sql
  set search_path = grantlog, pg_temp
as $$
  with idle as (
    select platform, key from attempt_bucket
    where case when drain = 0 then at < p_now - interval '2 hours' else at + make_interval(secs => level / drain) < p_now end
    limit 50000 for update skip locked
  ), gone as (
    delete from attempt_bucket b using idle i where b.platform = i.platform and b.key = i.key returning 1
  )
  select count(*)::int from gone
$$;

-- What an account has used of HTTP Basic, which is for exploration. Logged, because the days count from the first use.
create table basic_use (
  platform text collate "C" not null,
  account uuid not null,
  first_used_at timestamptz not null,
  -- In UTC.
  day date not null,
  -- Of that day; one above the limit says that more were refused.
  requests int not null,
  primary key (platform, account)
) with (fillfactor = 70);

revoke all on attempt_bucket, basic_use from public;
revoke all on function take_attempt, give_back_attempt, delete_idle_attempt_buckets from public;
grant select, insert, update, delete on attempt_bucket, basic_use to grantlog_api;
grant execute on function take_attempt, give_back_attempt, delete_idle_attempt_buckets to grantlog_api;
