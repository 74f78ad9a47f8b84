import { readdir, readFile } from 'node:fs/promises';
import { sha256 } from '@grantlog/crypto';
import pg from 'pg';
import { ensureRoles } from './roles.ts';

const folder = new URL('../../migrations/', import.meta.url);

/** An applied migration's file differs from what was applied: history must be added to, not edited. */
export class MigrationChanged extends Error {
  override readonly name = 'MigrationChanged';
}

const digestOf = (sql: string): string => Buffer.from(sha256(new TextEncoder().encode(sql))).toString('hex');

/**
 * Brings the database's schema up to date: roles, then each migration once, in the order of their names.
 * Any number of processes may call it at once; one works, the others wait. Forward only.
 *
 * @throws RolesMissing, MigrationChanged, or the database's own error.
 */
export const migrate = async (options: {
  readonly connectionString: string;
  readonly onProgress?: (message: string) => void;
}): Promise<void> => {
  const client = new pg.Client({
    connectionString: options.connectionString,
    application_name: 'grantlog_migrate',
    connectionTimeoutMillis: 10_000,
  });
  await client.connect();
  try {
    await client.query(`select pg_advisory_lock(hashtextextended('grantlog.migrate', 0))`);
    await ensureRoles(client);
    await client.query(`grant create on database ${(await currentDatabase(client)).quoted} to grantlog_migrate`);
    await client.query('set role grantlog_migrate');
    await client.query('create schema if not exists grantlog');
    await client.query('set search_path = grantlog, pg_temp');
    await client.query(
      'create table if not exists migration (name text primary key, digest text not null, applied_at timestamptz not null default now())',
    );
    const applied = new Map(
      (await client.query<{ name: string; digest: string }>('select name, digest from migration')).rows.map((row) => [
        row.name,
        row.digest,
      ]),
    );
    for (const name of (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort()) {
      const sql = await readFile(new URL(name, folder), 'utf8');
      const digest = digestOf(sql);
      const before = applied.get(name);
      if (before === digest) continue;
      if (before !== undefined) throw new MigrationChanged(`migration ${name} was applied with other contents; add a new file instead`);
      options.onProgress?.(`applying ${name}`);
      await client.query('begin');
      try {
        await client.query(sql);
        await client.query('insert into migration (name, digest) values ($1, $2)', [name, digest]);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback');
        throw error;
      }
    }
  } finally {
    await client.end();
  }
};

const currentDatabase = async (client: pg.Client): Promise<{ quoted: string }> => {
  const { rows } = await client.query<{ quoted: string }>('select quote_ident(current_database()) as quoted');
  return rows[0] ?? { quoted: 'postgres' };
};
