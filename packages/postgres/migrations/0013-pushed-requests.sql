-- Authorization requests that clients pushed (RFC 9126), until they are shown to a person or have run out. They are not truth:
-- losing one ends an attempt to connect, and which of them has been decided is the log's to say.
create table pushed_request (
  platform text collate "C" not null,
  -- SHA-256 of the reference that the client was given: a copy of the table opens nothing.
  id bytea not null,
  -- Whose it is; nobody else may use it.
  client uuid not null,
  -- The parameters under GRANTLOG_SECRET, bound to platform and id: they may name a person.
  sealed bytea not null,
  expires_at timestamptz not null,
  primary key (platform, id)
);
create index pushed_request_expiry on pushed_request (expires_at);

revoke all on pushed_request from public;
grant select, insert, update, delete on pushed_request to grantlog_api;
