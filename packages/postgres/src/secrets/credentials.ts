import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type pg from 'pg';

export type NewCredential = {
  readonly platform: PlatformId;
  /** The stream whose event will name the credential. */
  readonly owner: StreamId;
  readonly id: string;
  readonly kind: string;
  readonly sealed: Uint8Array;
};

/** Stores sealed secrets. Call it before the append that names their ids: an orphan is reaped, a missing one is not. */
export const insertCredentials = async (client: pg.Pool | pg.ClientBase, credentials: readonly NewCredential[]): Promise<void> => {
  await client.query(
    `insert into credential (platform, owner, id, kind, sealed)
     select * from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::bytea[])`,
    [
      credentials.map((credential) => credential.platform),
      credentials.map((credential) => credential.owner),
      credentials.map((credential) => credential.id),
      credentials.map((credential) => credential.kind),
      credentials.map((credential) => Buffer.from(credential.sealed)),
    ],
  );
};

/** Stores a subject's wrapped data key, unless it has one already; returns the one that stands. */
export const insertDataKey = async (
  client: pg.Pool | pg.ClientBase,
  key: { readonly platform: PlatformId; readonly subject: StreamId; readonly sealed: Uint8Array },
): Promise<Uint8Array> => {
  await client.query('insert into data_key (platform, subject, sealed) values ($1, $2, $3) on conflict do nothing', [
    key.platform,
    key.subject,
    Buffer.from(key.sealed),
  ]);
  const { rows } = await client.query<{ sealed: Buffer }>('select sealed from data_key where platform = $1 and subject = $2', [
    key.platform,
    key.subject,
  ]);
  return rows[0]?.sealed ?? key.sealed;
};
