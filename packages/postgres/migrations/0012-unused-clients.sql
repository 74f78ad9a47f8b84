-- Clients that registered themselves and that nobody has granted anything, for the reaper. Older rows are none: nobody could
-- register until now.
alter table client_list add column used boolean not null default false;

-- Oldest first; few rows of a platform, whatever it has seen.
create index client_list_unused on client_list (platform, generation, registered_at)
  where how = 'dynamic' and not used and status <> 'deleted';
