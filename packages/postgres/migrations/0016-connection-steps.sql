-- What happened on the way of each attempt to connect a client: for operators who look for the step that failed. Not truth:
-- nothing granted or revoked depends on it, a crash may empty it, and it is kept for two weeks.
create unlogged table connection_step (
  platform text collate "C" not null,
  id bigint generated always as identity,
  at timestamptz not null default clock_timestamp(),
  step text not null,
  -- Null where it went well; else the error code that the client was given, and its words.
  error text,
  detail text,
  -- The request that began what this belongs to, and the request itself: correlation ids of the log.
  attempt uuid,
  request uuid not null,
  client text,
  grant_id uuid,
  -- A MAC of the network that asked, so that what came from one place is found together and names nobody.
  visitor bytea not null,
  program text,
  primary key (platform, id)
);
create index connection_step_attempt on connection_step (platform, attempt) where attempt is not null;
create index connection_step_grant on connection_step (platform, grant_id) where grant_id is not null;
create index connection_step_client on connection_step (platform, client, id) where client is not null;
create index connection_step_visitor on connection_step (platform, visitor, id);
create index connection_step_age on connection_step (at);
-- A grant is used for the first time once, whoever noticed it.
create unique index connection_step_first_use on connection_step (platform, grant_id) where step = 'first_use';

revoke all on connection_step from public;
grant select, insert on connection_step to grantlog_api;
grant select, delete on connection_step to grantlog_worker;
