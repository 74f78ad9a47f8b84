import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findRedis, startRedis } from '../src/index.ts';
import { checkRedis } from '../src/launcher/check-redis.ts';
import { findFreePort } from '../src/processes/free-port.ts';
import { temporaryFolder } from './support/temporary.ts';

const never = new AbortController().signal;

const listen = async (answer: string | null): Promise<string> => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // the other side hung up
    socket.once('data', () => answer !== null && socket.write(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `redis://:opensesame@127.0.0.1:${address.port}`;
};

const say = (url: string, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) }).once('error', reject);
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
    socket.write(text);
  });

describe('a Redis that refuses is one message that names REDIS_URL', () => {
  test('where nobody listens', async () => {
    const url = `redis://127.0.0.1:${await findFreePort()}`;
    await expect(checkRedis(url, never)).rejects.toThrow(/ECONNREFUSED[\s\S]*REDIS_URL/);
  });

  test('where something else answers', async () => {
    await expect(checkRedis(await listen('HTTP/1.1 400 Bad Request\r\n\r\n'), never)).rejects.toThrow(/no Redis[\s\S]*REDIS_URL/);
  });

  test('where nothing is ever answered', async () => {
    await expect(checkRedis(await listen(null), never, 100)).rejects.toThrow(/no answer[\s\S]*REDIS_URL/);
  });

  test('and never shows the password', async () => {
    const problem: unknown = await checkRedis(await listen('-WRONGPASS invalid username-password pair\r\n'), never).catch(
      (error: unknown) => error,
    );
    expect(String(problem)).toContain('correct user and password in REDIS_URL');
    expect(String(problem)).not.toContain('opensesame');
  });

  test.skipIf(findRedis() === null)('where the password is missing or wrong, but not where it is right (needs redis-server)', async () => {
    const redis = await startRedis({ dir: join(await temporaryFolder(), 'redis') });
    onTestFinished(() => redis.stop());
    await checkRedis(redis.url, never);
    await say(redis.url, 'CONFIG SET requirepass open:sesame\r\n');
    const as = (password: string): string => redis.url.replace('//', `//:${encodeURIComponent(password)}@`);
    await checkRedis(as('open:sesame'), never);
    await expect(checkRedis(redis.url, never)).rejects.toThrow(/NOAUTH[\s\S]*user and password in REDIS_URL/);
    await expect(checkRedis(as('sesame'), never)).rejects.toThrow(/WRONGPASS[\s\S]*user and password in REDIS_URL/);
  });
});
