import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { removeEmbeddedPostgres } from '../src/index.ts';
import { statePaths } from '../src/launcher/state-directory.ts';
import { checkPort, findFreePort } from '../src/processes/free-port.ts';
import { identify } from '../src/processes/identity.ts';
import { processesWith, runScript, type Script } from './support/process.ts';
import { eventually, temporaryFolder } from './support/temporary.ts';

const patience = 90_000;
type Setup = {
  readonly data: string;
  readonly port: number;
  readonly opsPort: number;
  readonly environment: Readonly<Record<string, string>>;
};

const setUp = async (): Promise<Setup> => {
  const data = join(await temporaryFolder(), 'data');
  // The two ports after OPS_PORT are the worker's and the example resources'.
  const [port, opsPort] = [await findFreePort(), await findFreePort(3)];
  onTestFinished(() => removeEmbeddedPostgres(join(data, 'postgres')).catch(() => undefined));
  return { data, port, opsPort, environment: { DATA_DIR: data, PORT: String(port), OPS_PORT: String(opsPort) } };
};

const launch = (setup: Setup, more: Readonly<Record<string, string>> = {}, through: readonly string[] = []): Script =>
  runScript('run-launcher.ts', ['start'], { ...setup.environment, ...more }, through);

const untilUp = (script: Script): Promise<void> =>
  eventually(`up, not: ${script.output()}`, () => /Logs are in/.test(script.output()) || script.child.exitCode !== null, 40_000).then(() =>
    expect(script.output()).toContain('Logs are in'),
  );

/** Services are told apart from those of other tests by their variables, which only proc shows; so by their ports. */
const allGone = async ({ data, port, opsPort }: Setup): Promise<void> => {
  await eventually('the services are gone', async () => {
    const states = await Promise.all([port, opsPort, opsPort + 1, opsPort + 2].map((each) => checkPort(each, '127.0.0.1')));
    return states.every((state) => state === 'free');
  });
  expect(processesWith(data)).toEqual([]);
};

const reset = (setup: Setup, more: Readonly<Record<string, string>> = {}): Script =>
  runScript('run-launcher.ts', ['reset'], { ...setup.environment, ...more });

/** What the sample client leaves in the data folder. */
const keepTokens = async (setup: Setup, issuer: string): Promise<void> => {
  const folder = join(setup.data, 'example-client');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of ['tokens.json', 'tokens.json.lock']) await writeFile(join(folder, name), JSON.stringify({ issuer }), { mode: 0o600 });
};

describe('start', () => {
  test(
    'brings everything up, says so once, and ends without a process left on SIGTERM',
    async () => {
      const setup = await setUp();
      const script = launch(setup);
      await untilUp(script);
      expect(script.output()).toContain(`Grantlog is running at http://localhost:${setup.port}`);
      expect(script.output()).toContain('person@example.com  ');
      expect(script.output()).toContain('arlo, presenter  presenter@example.com');
      expect(script.output()).toContain('or http://localhost/arlo/api/events/');
      expect(await checkPort(setup.opsPort + 2, '127.0.0.1')).toBe('in use');
      const examplesLog = await readFile(join(setup.data, 'logs', 'examples.log'), 'utf8');
      expect(examplesLog).toContain('given CLIENT_ID CLIENT_SECRET HOST ISSUER PATH PORT PRESENTER RESOURCE');
      await eventually('the warning is shown', () => script.output().includes(`api  warn  a warning from ${setup.opsPort}: its cause`));
      expect(script.output()).not.toContain('an ordinary line');
      expect(await readFile(join(setup.data, 'logs', 'worker.log'), 'utf8')).toContain('an ordinary line');
      for (const name of ['secret', 'demo.json', 'running.json']) expect((await stat(join(setup.data, name))).mode & 0o777).toBe(0o600);
      script.child.kill('SIGTERM');
      expect(await script.exitCode).toBe(0);
      await allGone(setup);
      expect(await readdir(setup.data)).not.toContain('running.json');
      for (const name of ['api.log', 'worker.log', 'examples.log'])
        expect(await readFile(join(setup.data, 'logs', name), 'utf8')).toContain('told to end');
    },
    patience,
  );

  test(
    'beside a running one prints the same summary and ends with 0; reset refuses meanwhile and removes everything after',
    async () => {
      const setup = await setUp();
      const first = launch(setup);
      await eventually('the first has begun', () => first.output().includes('starting Postgres'));
      const early = launch(setup);
      await untilUp(first);
      const late = launch(setup);
      for (const second of [early, late]) {
        expect(await second.exitCode).toBe(0);
        expect(second.output()).toContain(`already runs here (process ${first.pid})`);
        expect(second.output()).toContain('person-password');
      }
      expect(early.output()).toContain(`waiting for process ${first.pid}`);
      const refused = reset(setup);
      expect(await refused.exitCode).toBe(1);
      expect(refused.output()).toContain(`is running here (process ${first.pid})`);
      first.child.kill('SIGINT');
      expect(await first.exitCode).toBe(0);
      expect(await reset(setup).exitCode).toBe(0);
      await expect(stat(setup.data)).rejects.toMatchObject({ code: 'ENOENT' });
    },
    patience,
  );

  test(
    'recovers by itself after kill -9 of the launcher, whose services end by themselves',
    async () => {
      const setup = await setUp();
      const first = launch(setup);
      await untilUp(first);
      const secret = await readFile(join(setup.data, 'secret'), 'utf8');
      first.child.kill('SIGKILL');
      await first.exitCode;
      await eventually('the services have ended', async () => (await checkPort(setup.opsPort, '127.0.0.1')) === 'free');
      await eventually('the services have ended', async () => (await checkPort(setup.opsPort + 1, '127.0.0.1')) === 'free');
      await eventually('the examples have ended', async () => (await checkPort(setup.opsPort + 2, '127.0.0.1')) === 'free');
      const second = launch(setup);
      await untilUp(second);
      expect(second.output()).toContain('ending the database server that an earlier run left behind');
      expect(await readFile(join(setup.data, 'secret'), 'utf8')).toBe(secret);
      second.child.kill('SIGTERM');
      expect(await second.exitCode).toBe(0);
      await allGone(setup);
    },
    patience,
  );

  test(
    'says which service died, with its last lines, and stops the rest',
    async () => {
      const setup = await setUp();
      const script = launch(setup, { FAKE_DIES: String(setup.opsPort + 1) });
      expect(await script.exitCode).toBe(1);
      expect(script.output()).toMatch(/The worker ended (by itself|before it was ready) \(exit code 3\)/);
      expect(script.output()).toContain('the last words of a service');
      await allGone(setup);
    },
    patience,
  );

  test(
    'explains example resources that cannot start as it does a service, and stops the rest',
    async () => {
      const setup = await setUp();
      const script = launch(setup, { FAKE_DIES: 'examples' });
      expect(await script.exitCode).toBe(1);
      expect(script.output()).toContain('The examples ended before it was ready (exit code 4)');
      expect(script.output()).toContain('the examples have no data');
      await allGone(setup);
    },
    patience,
  );

  test(
    'ended in the middle of its start leaves nothing and tells it by its exit code',
    async () => {
      const setup = await setUp();
      const script = launch(setup);
      await eventually('it has begun', () => script.output().includes('creating the database'));
      script.child.kill('SIGTERM');
      expect(await script.exitCode).toBe(130);
      await allGone(setup);
    },
    patience,
  );

  test(
    'ends when the package manager above it is killed',
    async () => {
      const setup = await setUp();
      // A process that looks like npx: its only child is the launcher, and nobody passes the signal on.
      const npx = launch(setup, {}, [
        process.execPath,
        '-e',
        'const {spawn}=require("node:child_process");process.title="npm exec pnpm start";spawn(process.argv[1],process.argv.slice(2),{stdio:"inherit"})',
      ]);
      await untilUp(npx);
      const running: unknown = JSON.parse(await readFile(join(setup.data, 'running.json'), 'utf8'));
      const { pid } = running as { pid: number };
      npx.child.kill('SIGKILL');
      await eventually('the launcher has ended', () => identify(pid) === null);
      await allGone(setup);
    },
    patience,
  );

  test(
    'names every port in use, with its variable and who has it, before it starts anything',
    async () => {
      const setup = await setUp();
      for (const port of [setup.port, setup.opsPort + 1, setup.opsPort + 2]) {
        const squatter = createServer().listen(port, '127.0.0.1');
        onTestFinished(() => void squatter.close());
      }
      const script = launch(setup);
      expect(await script.exitCode).toBe(1);
      expect(script.output()).toContain(`Port ${setup.port} on 127.0.0.1 (PORT, for the API) is in use`);
      expect(script.output()).toContain(`Port ${setup.opsPort + 1} on 127.0.0.1 (OPS_PORT, for the worker's operations) is in use`);
      expect(script.output()).toContain(`Port ${setup.opsPort + 2} on 127.0.0.1 (OPS_PORT, for the example resources) is in use`);
      if (process.platform === 'linux') expect(script.output()).toContain(`by process ${process.pid}, `);
      expect(await readdir(setup.data)).not.toContain('postgres');
    },
    patience,
  );

  test(
    'explains a database that refuses, without its password',
    async () => {
      const setup = await setUp();
      const port = await findFreePort();
      const script = launch(setup, { DATABASE_URL: `postgresql://me:hidden-password@127.0.0.1:${port}/mine` });
      expect(await script.exitCode).toBe(1);
      expect(script.output()).toContain(`The database at 127.0.0.1:${port}/mine refuses (ECONNREFUSED`);
      expect(script.output()).not.toContain('hidden-password');
    },
    patience,
  );

  test('names HOST where the address is not this machine’s, and DATA_DIR where a file is in its place', async () => {
    const setup = await setUp();
    const elsewhere = launch(setup, { HOST: '203.0.113.7' });
    expect(await elsewhere.exitCode).toBe(1);
    expect(elsewhere.output()).toContain('set HOST to an address of this machine');
    const onFile = launch(setup, { DATA_DIR: import.meta.filename });
    expect(await onFile.exitCode).toBe(1);
    expect(onFile.output()).toContain('set DATA_DIR to a folder');
    expect(onFile.output()).not.toContain('    at ');
  });

  test('reset leaves what opens a database at DATABASE_URL', async () => {
    const setup = await setUp();
    await mkdir(join(setup.data, 'logs'), { recursive: true });
    for (const name of ['secret', 'demo.json']) await writeFile(join(setup.data, name), name);
    await keepTokens(setup, `http://localhost:${setup.port}/arlo`);
    const beside = reset(setup, { DATABASE_URL: 'postgres://nobody@127.0.0.1:9/kept' });
    expect(await beside.exitCode).toBe(0);
    expect((await readdir(setup.data)).sort()).toEqual(['demo.json', 'example-client', 'secret']);
    expect(await reset(setup).exitCode).toBe(0);
    await expect(stat(setup.data)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('reset looks for the sample client’s tokens where that client keeps them', async () => {
    const setup = await setUp();
    const known = ['--issuer', 'http://localhost/arlo', '--client-id', 'web', '--redirect-uri', 'http://127.0.0.1/callback'];
    const sample = runScript('../../../../test/example-clients/src/main.ts', ['status', ...known], setup.environment);
    expect(await sample.exitCode, sample.output()).toBe(0);
    expect(sample.output()).toContain(`No tokens are kept in ${join(statePaths(setup.data).sampleClient, 'tokens.json')}.`);
  });

  test('reset takes the sample client’s tokens along, also those of the origin that the last start had', async () => {
    for (const origin of ['its own', 'https://tunnel.example']) {
      const setup = await setUp();
      await keepTokens(setup, `${origin === 'its own' ? `http://localhost:${setup.port}` : origin}/arlo`);
      await writeFile(join(setup.data, 'demo.json'), JSON.stringify({ url: 'https://tunnel.example' }));
      expect(await reset(setup).exitCode).toBe(0);
      await expect(stat(setup.data), origin).rejects.toMatchObject({ code: 'ENOENT' });
    }
    const broken = await setUp();
    await keepTokens(broken, 'nonsense');
    expect(await reset(broken).exitCode).toBe(0);
    await expect(stat(broken.data)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('reset leaves tokens of another server, which count there still, and says so', async () => {
    const setup = await setUp();
    await keepTokens(setup, 'https://auth.example/arlo');
    await writeFile(join(setup.data, 'demo.json'), JSON.stringify({ url: 'http://localhost:4000' }));
    const kept = reset(setup);
    expect(await kept.exitCode).toBe(0);
    expect(kept.output()).toContain('The tokens of https://auth.example/arlo stay in');
    expect(await readdir(setup.data)).toEqual(['example-client']);
    expect(await readdir(join(setup.data, 'example-client'))).toEqual(['tokens.json', 'tokens.json.lock']);
  });
});
