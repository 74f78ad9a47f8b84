-- Back-channel logout: which apps a sign-in led to, and what they have still to be told of its end.
-- Not truth: no decision reads either, and losing them tells apps less and nothing else.

-- An app that got an ID token in a sign-in. Kept by the worker, from the log alone.
create table sign_in_client (
  platform text collate "C" not null,
  sign_in uuid not null,
  client uuid not null,
  account uuid not null,
  -- Where the sign-in began in the log: a new password ends what began below it.
  first_position bigint not null,
  -- A first second factor ends those without one.
  second_factor boolean not null,
  -- When the app was last allowed something in it.
  seen_at timestamptz not null,
  primary key (platform, sign_in, client)
);
create index sign_in_client_account on sign_in_client (platform, account);
create index sign_in_client_seen on sign_in_client (seen_at);

-- One app to be told of the end of one sign-in. The token is made when it is sent and stands nowhere.
create table logout_notice (
  platform text collate "C" not null,
  -- The `jti` of every token that is made for it: an app that is told twice can know it.
  id uuid not null,
  client uuid not null,
  sign_in uuid not null,
  account uuid not null,
  state text not null default 'due' check (state in ('due', 'told', 'failed', 'dropped')),
  -- Attempts begun, and the fence: an outcome counts only under the number of its attempt.
  attempts int not null default 0,
  created_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  -- Until then one worker alone tries; afterwards it is as lost as that attempt.
  claimed_until timestamptz,
  finished_at timestamptz,
  -- Fixed words and a status: nothing that the app wrote.
  last_error text,
  primary key (platform, id),
  check ((state = 'due') = (finished_at is null))
) with (fillfactor = 80);
create index logout_notice_due on logout_notice (platform, client, coalesce(claimed_until, due_at)) where state = 'due';
create index logout_notice_finished on logout_notice (finished_at) where state <> 'due';

revoke all on sign_in_client, logout_notice from public;
grant select, insert, update, delete on sign_in_client, logout_notice to grantlog_worker;
