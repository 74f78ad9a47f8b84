-- Sign-up sessions that are neither redeemed nor ended: whom to tell of their expiry. Kept by the dispatcher; no decision reads it.
create table dispatch_session (
  platform text collate "C" not null,
  session_id uuid not null,
  -- When to look at the session again.
  expires_at timestamptz not null,
  primary key (platform, session_id)
);
create index dispatch_session_expiry on dispatch_session (expires_at);

revoke all on dispatch_session from public;
grant select, insert, update, delete on dispatch_session to grantlog_worker;
