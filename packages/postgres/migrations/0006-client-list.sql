-- Every client of a platform, for lists and searches. Not truth: a function of the log, rebuilt beside the live rows.

create table client_list (
  platform text collate "C" not null,
  generation int not null,
  client uuid not null,
  version int not null,
  first_position bigint not null,
  position bigint not null,
  client_id text not null,
  name text not null,
  owner uuid,
  kind text not null check (kind in ('confidential', 'public')),
  how text not null,
  status text not null check (status in ('active', 'disabled', 'deleted')),
  approval text not null check (approval in ('pending', 'approved', 'rejected')),
  has_proposal boolean not null,
  -- The name that a proposed change would give it; null where the proposal leaves the name as it is.
  proposed_name text,
  registered_at timestamptz not null,
  primary key (platform, generation, client)
);
create index client_list_newest on client_list (platform, generation, first_position);
create index client_list_owner on client_list (platform, generation, owner, first_position) where owner is not null;
-- What waits for an operator: few rows among many.
create index client_list_waiting on client_list (platform, generation, first_position) where approval = 'pending' or has_proposal;

revoke all on client_list from public;
grant select on client_list to grantlog_api;
grant select, insert, update, delete on client_list to grantlog_worker;
