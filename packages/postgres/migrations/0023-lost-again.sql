-- An attempt whose end nobody knows is made again at once: a worker was killed, and its endpoint should not wait for that. One
-- that is lost again and again may be what kills the workers; it waits, longer each time, and the others of its endpoint go on.
create function put_off_lost() returns trigger language plpgsql set search_path = grantlog, pg_temp as $$
declare
  losses int;
begin
  -- Those before this one.
  select count(*) into losses from attempt a
  where a.platform = new.platform and a.id = new.id and a.endpoint = new.endpoint and a.outcome = 'lost';
  if losses >= 3 then new.due_at := greatest(new.due_at, now() + least(interval '10 seconds' * 2 ^ least(losses - 3, 10), interval '1 hour')); end if;
  return new;
end $$;
-- A failed attempt counts as both; a lost one is an attempt and no failure.
create trigger delivery_put_off_lost before update of attempt on delivery for each row
  when (new.attempt > old.attempt and new.failures = old.failures) execute function put_off_lost();
