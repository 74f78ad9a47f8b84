import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { createDatabase, MigrationChanged, migrate, RolesMissing } from '../src/index.ts';
import { commitOf, newStream, write } from './support/commits.ts';
import { createEmptyDatabase, type TestDatabase } from './support/test-database.ts';
import { newPlatform, openTestLog } from './support/test-log.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createEmptyDatabase('migrate');
});
afterEach(() => database.drop());

const run = async (url = database.url): Promise<readonly string[]> => {
  const progress: string[] = [];
  await migrate({ connectionString: url, onProgress: (message) => progress.push(message) });
  return progress;
};
const appendOne = async (url: string): Promise<string> => {
  const ours = openTestLog(url);
  try {
    return (await ours.log.append(await newPlatform(ours.pool), commitOf([write(newStream(), 0)]))).outcome;
  } finally {
    await ours.close();
  }
};
const quote = (name: string): string => `"${name}"`;

describe('migrate', () => {
  test('applies every migration once, in order, and nothing the second time', async () => {
    const first = await run();
    expect(first.length).toBeGreaterThanOrEqual(2);
    expect(first).toEqual([...first].sort());
    expect(await run()).toEqual([]);
    expect(await appendOne(database.url)).toBe('appended');
  });

  test('races with itself: one works, the others wait', async () => {
    const progress = (await Promise.all(Array.from({ length: 6 }, () => run()))).flat();
    expect(new Set(progress).size).toBe(progress.length);
    expect(await appendOne(database.url)).toBe('appended');
  });

  test('races with itself on several databases of one cluster', async () => {
    const others = await Promise.all([createEmptyDatabase('migrate'), createEmptyDatabase('migrate')]);
    await Promise.all([database, ...others].flatMap(({ url }) => [run(url), run(url)]));
    await Promise.all(others.map((other) => other.drop()));
  });

  test('refuses when an applied file differs from what was applied', async () => {
    await run();
    await database.asSuperuser(`update grantlog.migration set digest = repeat('0', 64) where name like '0001%'`);
    await expect(run()).rejects.toBeInstanceOf(MigrationChanged);
    await expect(run()).rejects.toThrow('0001-log.sql');
  });

  test('leaves nothing of a migration that fails, and goes on from there the next time', async () => {
    await database.asSuperuser('create schema grantlog authorization grantlog');
    // Stands in the way of the first migration, and is not the migrations' own to replace.
    await database.asSuperuser('create table grantlog.data_key ()');
    await database.asSuperuser('grant create, usage on schema grantlog to public');
    await expect(run()).rejects.toThrow('data_key');
    expect(await database.asSuperuser(`select 1 from pg_class where relname = 'event'`)).toEqual([]);
    await database.asSuperuser('drop table grantlog.data_key');
    expect((await run())[0]).toBe('applying 0001-log.sql');
  });

  test('lets go of its lock when it fails', async () => {
    await run();
    await database.asSuperuser(`update grantlog.migration set digest = 'x' where name like '0001%'`);
    await expect(run()).rejects.toThrow();
    const held = await database.asSuperuser(
      `select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    );
    expect(held).toEqual([]);
  });

  test('makes everything the property of grantlog_migrate, whoever logs in', async () => {
    await run();
    const owners = await database.asSuperuser<{ owner: string }>(
      `select distinct owner from (
         select relowner::regrole::text as owner from pg_class where relnamespace = 'grantlog'::regnamespace
         union select proowner::regrole::text from pg_proc where pronamespace = 'grantlog'::regnamespace) as o`,
    );
    expect(owners).toEqual([{ owner: 'grantlog_migrate' }]);
  });
});

// Of no worth: the roles live as long as their test.
const password = 'of-the-test';

describe('a login that is no superuser', () => {
  const login = (): { readonly name: string; readonly url: string } => {
    const name = `app_${randomUUID().slice(0, 8)}`;
    const url = new URL(database.url);
    url.username = name;
    url.password = password;
    return { name, url: url.href };
  };

  test('migrates and appends when it owns the database and is a member of the roles', async () => {
    await run();
    await database.asSuperuser('drop schema grantlog cascade');
    await database.asSuperuser('drop schema if exists bullmq cascade');
    const { name, url } = login();
    await database.asSuperuser(`create role ${quote(name)} login password '${password}'`);
    for (const role of ['grantlog_migrate', 'grantlog_api', 'grantlog_worker'])
      await database.asSuperuser(`grant ${role} to ${quote(name)}`);
    await database.asSuperuser(`alter database ${quote(new URL(url).pathname.slice(1))} owner to ${quote(name)}`);
    expect((await run(url)).length).toBeGreaterThanOrEqual(2);
    expect(await run(url)).toEqual([]);
    expect(await appendOne(url)).toBe('appended');
    await database.asSuperuser(`alter database ${quote(new URL(url).pathname.slice(1))} owner to current_user`);
    await database.asSuperuser(`drop owned by ${quote(name)}`);
    await database.asSuperuser(`drop role ${quote(name)}`);
  });

  test('is told which statements an administrator should run when it is no member', async () => {
    await run();
    const { name, url } = login();
    await database.asSuperuser(`create role ${quote(name)} login password '${password}'`);
    const error = await run(url).catch((cause: unknown) => cause);
    await database.asSuperuser(`drop role ${quote(name)}`);
    expect(error).toBeInstanceOf(RolesMissing);
    expect((error as Error).message).toContain(`grant grantlog_migrate to ${name}`);
  });
});

describe('createDatabase', () => {
  test('answers the URL of one that is there already', async () => {
    const name = new URL(database.url).pathname.slice(1);
    expect(await createDatabase({ connectionString: inject('databaseUrl'), name })).toBe(database.url);
  });

  test('copies a template', async () => {
    await run();
    const template = new URL(database.url).pathname.slice(1);
    await database.disconnect();
    const url = await createDatabase({ connectionString: inject('databaseUrl'), name: `${template}_copy`, template });
    expect(await run(url)).toEqual([]);
    expect(await appendOne(url)).toBe('appended');
    await database.asSuperuser(`drop database ${quote(`${template}_copy`)} with (force)`);
  });
});
