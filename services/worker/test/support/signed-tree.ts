import { generateSigningKey, importSigningKey, randomUuid, standingId } from '@grantlog/crypto';
import { standingKinds } from '@grantlog/domain';
import type { CommitId, PlatformId, StreamId } from '@grantlog/eventsourcing';
import { consumeOnce, ensureSubscriptions } from '@grantlog/postgres';
import { type NoteSigner, verifierKeyOf } from '@grantlog/transparency';
import { createAuditTree } from '../../src/audit/tree.ts';
import type { World } from './world.ts';

const generated = importSigningKey(await generateSigningKey('EdDSA'));

export const originOf = (name: PlatformId): string => `auth.example/${name}/audit/1`;
export const signerOf = (name: string): NoteSigner => ({ name, key: generated });
export const logKeyOf = (name: PlatformId) => verifierKeyOf(signerOf(originOf(name)), 'ed25519');

const subscription = createAuditTree({
  originOf: async (name) => originOf(name),
  signerOf: async (_, name) => signerOf(name),
});

/** The trees of a world, as they grow, and as an operator rewrites them who may do anything. */
export const signedTrees = (world: World) => {
  const live = async (name: PlatformId, events: number): Promise<void> => {
    const written = Array.from({ length: events }, () => ({
      streamId: standingId(standingKinds.client) as StreamId,
      expected: 0,
      events: [{ type: 'client.registered', data: { clientId: randomUuid(), name: 'An agent' } }],
    }));
    const result = await world.log.append(name, {
      commitId: randomUuid() as CommitId,
      writes: written,
      reads: [],
      actor: { kind: 'system', id: 'test' },
      correlationId: 'test',
    });
    if (result.outcome === 'conflict') throw new Error('nobody else writes here');
  };
  /** Hashes and signs what there is, as the worker does, in batches of so many. */
  const sign = async (batchLimit = 5_000): Promise<void> => {
    await ensureSubscriptions(world.pool, [subscription.name]);
    for (;;) {
      const outcome = await consumeOnce(world.pool, [{ ...subscription, batchLimit }]);
      if (outcome.kind === 'failed') throw outcome.error;
      if (outcome.kind === 'idle') return;
    }
  };
  const asSuperuser = async (...statements: readonly string[]): Promise<void> => {
    const client = await world.pool.connect();
    try {
      await client.query('set role none');
      const { rows } = await client.query<{ name: string }>(
        `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'grantlog.event'::regclass`,
      );
      const tables = [...rows.map(({ name }) => name), 'audit_checkpoint', 'audit_cosignature'];
      for (const table of tables) await client.query(`alter table ${table} disable trigger all`);
      for (const statement of statements) await client.query(statement);
    } finally {
      client.release(true);
    }
  };
  /** What was signed is forgotten, and the tree is made of what the log says by then, with the same key. */
  const rewrite = async (...statements: readonly string[]): Promise<void> => {
    await asSuperuser(...statements, 'delete from audit_cosignature', 'delete from audit_checkpoint');
    for (const table of ['audit_tile', 'audit_tree']) await world.pool.query(`delete from ${table}`);
    await world.pool.query(`update subscription set position = 0 where name = 'audit-tree'`);
    await sign();
  };
  const latest = async (name: PlatformId): Promise<{ readonly size: number; readonly note: string; readonly lineage: string }> => {
    const { rows } = await world.pool.query<{ size: number; note: string; lineage: string }>(
      'select size, note, lineage from audit_checkpoint where platform = $1 order by size desc limit 1',
      [name],
    );
    const [found] = rows;
    if (found === undefined) throw new Error(`nothing of ${name} is signed`);
    return found;
  };
  return { live, sign, rewrite, latest };
};
