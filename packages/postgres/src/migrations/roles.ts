import type pg from 'pg';

const roles = ['grantlog_migrate', 'grantlog_api', 'grantlog_worker'] as const;

/** The database login may not create roles; says which statements somebody who may should run. */
export class RolesMissing extends Error {
  override readonly name = 'RolesMissing';
  constructor(missing: readonly string[], login: string, cause: unknown) {
    super(
      `the database roles ${missing.join(', ')} are missing and ${login} may not create them. ` +
        `Run as an administrator: ${missing.map((role) => `create role ${role} nologin; grant ${role} to ${login};`).join(' ')}`,
      { cause },
    );
  }
}

const alreadyThere = new Set(['42710', '23505', 'XX000']);

/** Creates the cluster-wide roles that are missing and makes the login a member of each. Safe to race with itself. */
export const ensureRoles = async (client: pg.ClientBase): Promise<void> => {
  const missing = async (): Promise<string[]> => {
    const found = await client.query<{ rolname: string }>('select rolname from pg_roles where rolname = any($1)', [roles]);
    const names = new Set(found.rows.map((row) => row.rolname));
    return roles.filter((role) => !names.has(role));
  };
  const { rows } = await client.query<{ login: string }>('select quote_ident(session_user) as login');
  const login = rows[0]?.login ?? 'session_user';
  for (const role of await missing()) {
    try {
      await client.query(`create role ${role} nologin`);
    } catch (error) {
      // Another process created it in the same instant.
      if (!alreadyThere.has((error as { code?: string }).code ?? '')) throw new RolesMissing(await missing(), login, error);
    }
  }
  const outside = await client.query<{ role: string }>(
    `select r as role from unnest($1::text[]) as r where not pg_has_role(session_user, r, 'member')`,
    [roles],
  );
  for (const { role } of outside.rows) {
    try {
      await client.query(`grant ${role} to ${login}`);
    } catch (error) {
      if (!alreadyThere.has((error as { code?: string }).code ?? '')) throw new RolesMissing([role], login, error);
    }
  }
};
