import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import { LogUnavailable } from '@grantlog/eventsourcing';
import type { Pool } from 'pg';

/** A pushed authorization request as it is kept; what was asked for is sealed. */
export type PushedRequest = {
  readonly platform: PlatformId;
  /** 32 bytes: a digest of the reference. */
  readonly id: Uint8Array;
  readonly client: StreamId;
  readonly sealed: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
};

const orUnavailable = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new LogUnavailable(`pushed requests can be neither kept nor read: ${message}`, { cause: error });
  }
};

/** Keeps a pushed request. @throws LogUnavailable */
export const insertPushedRequest = async (pool: Pool, request: PushedRequest): Promise<void> => {
  await orUnavailable(() =>
    pool.query({
      name: 'grantlog.insert-pushed-request',
      text: 'insert into pushed_request (platform, id, client, sealed, expires_at) values ($1, $2, $3, $4, $5)',
      values: [request.platform, Buffer.from(request.id), request.client, Buffer.from(request.sealed), new Date(request.expiresAt)],
    }),
  );
};

/** A client's pushed request, expired or not; null where it has none of this id. @throws LogUnavailable */
export const readPushedRequest = async (
  pool: Pool,
  of: Pick<PushedRequest, 'platform' | 'id' | 'client'>,
): Promise<PushedRequest | null> => {
  const { rows } = await orUnavailable(() =>
    pool.query<{ sealed: Buffer; expires_at: Date }>({
      name: 'grantlog.read-pushed-request',
      text: 'select sealed, expires_at from pushed_request where platform = $1 and id = $2 and client = $3',
      values: [of.platform, Buffer.from(of.id), of.client],
    }),
  );
  const [row] = rows;
  return row === undefined ? null : { ...of, sealed: row.sealed, expiresAt: row.expires_at.getTime() };
};

/** Deletes requests that ran out, at most 50,000, by the database's clock. Returns how many. */
export const deleteExpiredPushedRequests = async (pool: Pool): Promise<number> => {
  const { rowCount } = await pool.query(
    `delete from pushed_request where (platform, id) in (
       select platform, id from pushed_request where expires_at < now() limit 50000 for update skip locked
     )`,
  );
  return rowCount ?? 0;
};
