-- The outbox of mails: the API and the worker put them in, the worker sends them.
-- Not truth: no decision reads it, and losing it loses mails and nothing else.

create table mail (
  platform text collate "C" not null,
  -- In its Message-ID, so that an attempt made twice is one message to whoever receives it.
  id uuid not null,
  -- Whom it is about, so that erasing them takes it along; null where there is no account yet.
  account uuid,
  -- Recipient, subject and text under GRANTLOG_SECRET, bound to platform and id. Outside development it goes as soon as it is sent.
  sealed bytea,
  state text not null default 'due' check (state in ('due', 'sent', 'kept', 'failed')),
  -- Attempts begun, and the fence: an outcome counts only under the number of its attempt.
  attempts int not null default 0,
  created_at timestamptz not null default now(),
  due_at timestamptz not null default now(),
  -- Until then one worker alone tries; afterwards it is as lost as that attempt.
  claimed_until timestamptz,
  finished_at timestamptz,
  -- Fixed words: no address, nothing that a mail server wrote.
  last_error text,
  primary key (platform, id),
  check (sealed is not null or state = 'sent'),
  check ((state = 'due') = (finished_at is null))
) with (fillfactor = 80);
create index mail_due on mail (coalesce(claimed_until, due_at)) where state = 'due';
create index mail_finished on mail (finished_at) where state <> 'due';
create index mail_account on mail (platform, account) where account is not null;
create index mail_newest on mail (created_at);

revoke all on mail from public;
-- The API reads it for the mailbox page of development alone, and nothing in it is readable without GRANTLOG_SECRET.
grant select, insert on mail to grantlog_api;
grant select, insert, update, delete on mail to grantlog_worker;
