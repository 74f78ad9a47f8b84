-- What witnesses said of checkpoints (C2SP tlog-cosignature). Insert-only, as the checkpoints are.
create table audit_cosignature (
  platform text collate "C" not null,
  lineage uuid not null,
  size bigint not null,
  -- The verifier key of the witness, as text.
  witness text collate "C" not null,
  -- Of the checkpoint that was cosigned: a line is never put to a note of another tree.
  root bytea not null check (octet_length(root) = 32),
  -- A line of signature with its newline, as it stands at the end of a note.
  line text not null,
  -- By the clock of the witness.
  cosigned_at timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (platform, lineage, size, witness),
  foreign key (platform, lineage, size) references audit_checkpoint
);
create trigger append_only before update or delete on audit_cosignature for each row execute function refuse_change();
create trigger append_only_truncate before truncate on audit_cosignature for each statement execute function refuse_change();
alter table audit_cosignature enable always trigger append_only;
alter table audit_cosignature enable always trigger append_only_truncate;

-- How far each witness has come with each tree, and who tells it now. Not truth: it knows for itself, and says so where this differs.
create table audit_witness (
  platform text collate "C" not null references log,
  lineage uuid not null,
  -- A verifier key, or `file:` and a folder.
  witness text collate "C" not null,
  -- The largest tree that it is known to have taken, and its root; 0 and null where none is.
  size bigint not null default 0,
  root bytea,
  seen_at timestamptz,
  -- Attempts begun, and the fence: an outcome counts only under the number of its attempt.
  attempts bigint not null default 0,
  -- Those that failed since the last that did not.
  failures int not null default 0,
  due_at timestamptz not null default clock_timestamp(),
  -- Until then one worker alone tells it.
  claimed_until timestamptz,
  -- A word of ours, and since when: nothing that the witness wrote. Null while all is well.
  failure text,
  failing_since timestamptz,
  -- When it last held another history than ours. Never blanked: that it took a tree afterwards takes nothing back.
  conflicted_at timestamptz,
  primary key (platform, lineage, witness),
  check ((failure is null) = (failing_since is null))
) with (fillfactor = 80);

revoke all on audit_cosignature, audit_witness from public;
grant select on audit_cosignature, audit_witness to grantlog_api, grantlog_worker;
grant insert on audit_cosignature to grantlog_worker;
grant insert, update, delete on audit_witness to grantlog_worker;
