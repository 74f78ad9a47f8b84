-- Proofs of possession (RFC 9449) that were used: each is good once. The table is not truth: losing it grants nothing to
-- who has no key. Logged all the same, so that no crash makes a proof of the last minute good again.
create table dpop_proof (
  platform text collate "C" not null,
  -- A digest of the key and of the proof's own id; it names nobody.
  proof bytea not null,
  -- When no clock of ours can take it for a present one any more.
  forget_at timestamptz not null,
  primary key (platform, proof)
);
create index dpop_proof_forget_at on dpop_proof (forget_at);

revoke all on dpop_proof from public;
-- Locking rows that are forgotten takes the right to update them.
grant select, insert, update, delete on dpop_proof to grantlog_api;
