import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Problem } from '../problem.ts';

/**
 * Makes sure that a Redis answers at `url` and lets us in, so that a wrong REDIS_URL is one message and not a service's stack.
 *
 * @throws Problem with what it said, or after `waitMs`, 5 s unless told
 */
export const checkRedis = async (url: string, signal: AbortSignal, waitMs = 5_000): Promise<void> => {
  const target = new URL(url);
  const outcome = await converse(target, AbortSignal.any([signal, AbortSignal.timeout(waitMs)]));
  signal.throwIfAborted();
  if (outcome === 'pong') return;
  const fix = /^(NOAUTH|WRONGPASS|ERR AUTH|NOPERM)/.test(outcome)
    ? 'correct user and password in REDIS_URL.'
    : 'start that server, correct REDIS_URL, or leave it out: then the queue lives in Postgres.';
  throw new Problem(`The Redis at ${target.host} refuses (${outcome}).`, fix);
};

/** `'pong'`, or what went wrong in words. */
const converse = (target: URL, signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => {
    const socket = open(target);
    const end = (outcome: string): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(outcome);
    };
    const onAbort = (): void => end('no answer');
    signal.addEventListener('abort', onAbort, { once: true });
    const greeting = greet(target);
    socket.write(greeting.text);
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
      const outcome = read(answer, greeting.replies);
      if (outcome !== null) end(outcome);
    });
    socket.once('error', (error) => end(error.message));
    socket.once('close', () => end('it closed the connection'));
  });

const open = (target: URL): Socket => {
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const port = target.port === '' ? 6379 : Number(target.port);
  return target.protocol === 'rediss:' ? connectTls({ host, port, servername: host }) : connect({ host, port });
};

/** AUTH where the URL has credentials, and PING; in the form that takes any byte. */
const greet = (target: URL): { readonly text: string; readonly replies: number } => {
  const credentials = [target.username, target.password].filter((part) => part !== '').map(decodeURIComponent);
  const commands = target.password === '' ? [['PING']] : [['AUTH', ...credentials], ['PING']];
  const encode = (words: readonly string[]): string =>
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
  return { text: commands.map(encode).join(''), replies: commands.length };
};

const read = (answer: string, replies: number): string | null => {
  const lines = answer.split('\r\n').slice(0, -1);
  const refused = lines.find((line) => line.startsWith('-'));
  if (refused !== undefined) return refused.slice(1);
  if (lines.length < replies) return answer.length > 1_000 || /^[^+-]/.test(answer) ? 'what answers there is no Redis' : null;
  return lines[replies - 1] === '+PONG' ? 'pong' : 'what answers there is no Redis';
};
