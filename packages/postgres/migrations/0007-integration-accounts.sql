-- Accounts for programs, for the list of those who made them: few rows among many, so the index costs next to nothing.
-- Only the partition of streams without end has accounts; what the hot path writes lies in the months.

create index event_integration_accounts on event_standing (platform, position)
  where type = 'account.registered' and data ->> 'kind' = 'integration';
