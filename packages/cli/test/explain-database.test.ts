import { createServer, type Server, type Socket } from 'node:net';
import { SealBroken } from '@grantlog/crypto';
import { migrate } from '@grantlog/postgres';
import { describe, expect, onTestFinished, test } from 'vitest';
import { explainDatabaseError } from '../src/launcher/explain-database.ts';
import { Problem } from '../src/problem.ts';

/** A server on a free port that does `answer` once it has been spoken to. */
const pretend = async (answer: (socket: Socket) => void): Promise<string> => {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined); // the other side hung up
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `postgres://someone:opensesame@127.0.0.1:${address.port}/there`;
};

const explained = async (url: string): Promise<unknown> => {
  const error: unknown = await migrate({ connectionString: url }).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return explainDatabaseError(error, url);
};

describe('a database that cannot be entered is explained with its setting', () => {
  test('where something else listens and hangs up', async () => {
    const url = await pretend((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const problem = await explained(url);
    expect(problem).toBeInstanceOf(Problem);
    expect(String(problem)).toContain('check that DATABASE_URL names a Postgres server');
    expect(String(problem)).not.toContain('opensesame');
  });

  test('where the URL asks for TLS that the server does not have', async () => {
    const problem = await explained(`${await pretend((socket) => socket.write('N'))}?sslmode=verify-full`);
    expect(problem).toBeInstanceOf(Problem);
    expect(String(problem)).toContain('remove sslmode from DATABASE_URL');
  });

  test('where the server asks for a password and the URL has none', async () => {
    const sasl = Buffer.from('R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0', 'latin1');
    const challenge = Buffer.from('R\0\0\0\x17\0\0\0\x0br=nonce,s=c2FsdA==', 'latin1');
    challenge.writeInt32BE(challenge.length - 1, 1);
    const url = await pretend((socket) => {
      socket.write(sasl);
      socket.once('data', () => socket.write(challenge));
    });
    const problem = await explained(url.replace(':opensesame', ''));
    expect(problem).toBeInstanceOf(Problem);
    expect(String(problem)).toContain('put the password into DATABASE_URL');
  });

  test('where its keys were sealed with another secret', () => {
    const problem = explainDatabaseError(new SealBroken(), 'postgres://someone:opensesame@db.example/there');
    expect(problem).toBeInstanceOf(Problem);
    expect(String(problem)).toContain('GRANTLOG_SECRET');
    expect(String(problem)).not.toContain('opensesame');
  });
});

test('a defect is not explained away', () => {
  const defect = new TypeError('x is not a function');
  expect(explainDatabaseError(defect, 'postgres://db.example/there')).toBe(defect);
});
