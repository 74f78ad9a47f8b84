-- Whose personal data goes with an account besides its own: the agents' sessions that it was linked to, and their
-- webhooks. Found in the log itself, so that nothing has to be kept in step; one small row of the index a sign-up.
create index event_sessions_of_account on event (platform, (data ->> 'account')) where type = 'session.linked';

-- When a data key goes by itself: of a session that nobody was ever linked to, once its agent has been told the end.
alter table data_key add column forget_at timestamptz;
create index data_key_forgotten on data_key (forget_at) where forget_at is not null;
grant update (forget_at) on data_key to grantlog_worker;
