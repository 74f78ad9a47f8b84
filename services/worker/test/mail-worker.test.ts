import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { queueMail } from '@grantlog/provisioning';
import { afterEach, expect, test } from 'vitest';
import { createMailServer, headerOf } from './support/mail-server.ts';
import { useScene } from './support/scene.ts';
import { platform, secret, until } from './support/world.ts';

const scene = useScene();
const running: ChildProcess[] = [];
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const start = (smtpUrl: string | undefined, publicUrl = 'https://auth.example') => {
  const env: NodeJS.ProcessEnv = {
    DATABASE_URL: scene.world().url,
    PUBLIC_URL: publicUrl,
    HOST: '127.0.0.1',
    OPS_PORT: '0',
    GRANTLOG_SECRET: secret,
    ...(smtpUrl === undefined ? {} : { SMTP_URL: smtpUrl }),
    LOG_LEVEL: 'trace',
  };
  const child = fork(main, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [], env });
  running.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  return { child, output: () => output };
};
const states = async (): Promise<readonly { readonly state: string; readonly attempts: number }[]> =>
  (await scene.world().pool.query<{ state: string; attempts: number }>('select state, attempts from mail')).rows;

test('a worker killed between sending and recording costs one more copy at most, under the same Message-ID', {
  timeout: 60_000,
}, async () => {
  const { api, pool, sealer } = scene.world();
  let first: ChildProcess | null = null;
  const server = await createMailServer({
    beforeReply: () => {
      first?.kill('SIGKILL');
    },
  });
  scene.atEnd(server.close);
  await queueMail(
    { pool: api, sealer },
    { platform, account: null, to: 'ada@canary.example', subject: 'Hello canary', text: 'Text canary' },
  );
  const killed = start(server.url);
  first = killed.child;
  await until(
    () => killed.child.signalCode,
    (signal) => signal === 'SIGKILL',
  );
  first = null;
  expect(server.received).toHaveLength(1);
  expect(await states()).toEqual([{ state: 'due', attempts: 1 }]);

  // Claimed still: another worker leaves it alone until the claim has run out.
  const second = start(server.url);
  await until(second.output, (output) => output.includes('"ready"'));
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect(await states()).toEqual([{ state: 'due', attempts: 1 }]);
  await pool.query('update mail set claimed_until = now()');
  await until(states, ([mail]) => mail?.state === 'sent');

  expect(await states()).toEqual([{ state: 'sent', attempts: 2 }]);
  expect(server.received).toHaveLength(2);
  const ids = server.received.map((mail) => headerOf(mail, 'Message-ID'));
  expect(ids[0]).toMatch(/^<arlo\.[0-9a-f-]{36}@auth\.example>$/);
  expect(ids[1]).toBe(ids[0]);
  expect(killed.output() + second.output()).not.toContain('canary');
});

test('a worker that is told to stop finishes the mail it is at', { timeout: 60_000 }, async () => {
  const { api, sealer } = scene.world();
  let stop: () => void = () => {};
  const server = await createMailServer({
    beforeReply: async () => {
      stop();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    },
  });
  scene.atEnd(server.close);
  await queueMail({ pool: api, sealer }, { platform, account: null, to: 'ada@mail.example', subject: 'Hello', text: 'Text' });
  const worker = start(server.url);
  stop = () => void worker.child.kill('SIGTERM');
  const code = await new Promise((resolve) => worker.child.on('exit', resolve));
  expect(code).toBe(0);
  expect(await states()).toEqual([{ state: 'sent', attempts: 1 }]);
});

test('a worker without SMTP_URL says at its start what becomes of mails; with it, or in development, it has nothing to say', {
  timeout: 60_000,
}, async () => {
  const server = await createMailServer();
  scene.atEnd(server.close);
  const workers = [start(undefined), start(server.url), start(undefined, 'http://localhost:4000')];
  for (const { output } of workers) await until(output, (text) => text.includes('"ready"'));
  const warnings = workers.map(({ output }) => output().match(/.*SMTP_URL is not set: no mail is sent.*/g) ?? []);
  expect(warnings.map((lines) => lines.length)).toEqual([1, 0, 0]);
  expect(warnings[0]?.[0]).toMatch(/"level":"warn".*"days":5/);
});
