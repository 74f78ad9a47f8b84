import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateSigningKey, importSigningKey, type SigningKey } from '@grantlog/crypto';
import {
  type Checkpoint,
  cosign,
  emptyRoot,
  readCheckpoint,
  type VerifierKey,
  verifierKeyOf,
  verifyConsistency,
  writeVerifierKey,
} from '@grantlog/transparency';

export type Answer = { readonly status: number; readonly type?: string; readonly body?: string };

/** What a witness is asked, taken apart by the letter of the specification. */
const parseRequest = (text: string) => {
  const end = text.indexOf('\n\n');
  const [first = '', ...lines] = text.slice(0, end).split('\n');
  const [, old] = /^old (0|[1-9]\d*)$/.exec(first) ?? [];
  if (end < 0 || old === undefined || lines.length > 63 || lines.some((line) => !/^[A-Za-z0-9+/]{43}=$/.test(line))) return null;
  return { old: Number(old), hashes: lines.map((line) => Buffer.from(line, 'base64')), note: text.slice(end + 2) };
};

/**
 * A witness by https://c2sp.org/tlog-witness, in the order in which it says what is checked, over http on loopback.
 * `meddle` answers in its place, after it has judged.
 */
export const createWitness = async (name = 'witness.example/w1') => {
  const key: SigningKey = importSigningKey(await generateSigningKey('EdDSA'));
  const logs = new Map<string, VerifierKey>();
  const latest = new Map<string, Checkpoint>();
  const asked: { readonly old: number; readonly size: number; readonly origin: string; readonly hashes: number }[] = [];
  const counts = { open: 0, most: 0 };
  let meddle: (honest: Answer, note: string) => Answer | Promise<Answer> = (honest) => honest;
  let now = Date.now;

  const judge = (text: string): Answer => {
    const request = parseRequest(text);
    if (request === null) return { status: 400 };
    const { old, hashes, note } = request;
    const [origin = '', size = ''] = note.split('\n', 2);
    asked.push({ old, size: Number(size), origin, hashes: hashes.length });
    const log = logs.get(origin);
    if (log === undefined) return { status: 404 };
    const reading = readCheckpoint(note, { key: log, origin });
    if (reading.outcome === 'refused') return { status: 403 };
    const { checkpoint } = reading;
    if (old > checkpoint.size) return { status: 400 };
    const before = latest.get(origin) ?? { origin, size: 0, root: emptyRoot() };
    if (old !== before.size) return { status: 409, type: 'text/x.tlog.size', body: `${before.size}\n` };
    const isGrowth = verifyConsistency({ oldSize: old, oldRoot: before.root, newSize: checkpoint.size, newRoot: checkpoint.root, hashes });
    if (!isGrowth) return { status: 422 };
    latest.set(origin, checkpoint);
    return { status: 200, body: cosign({ note: reading.note, witness: { name, key }, timestampSeconds: Math.floor(now() / 1_000) }) };
  };

  let port = 0;
  let server: Server | null = null;
  const open = async (): Promise<void> => {
    server = createServer((request, reply) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', async () => {
        counts.open += 1;
        counts.most = Math.max(counts.most, counts.open);
        const text = Buffer.concat(chunks).toString('utf8');
        const isKnown = request.method === 'POST' && request.url === '/prefix/add-checkpoint';
        const {
          status,
          type = 'text/plain',
          body = '',
        } = isKnown ? await meddle(judge(text), text.split('\n\n').slice(1).join('\n\n')) : { status: 405 };
        counts.open -= 1;
        reply.writeHead(status, { 'content-type': type }).end(body);
      });
    });
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  };
  const close = async (): Promise<void> => {
    const closing = server;
    server = null;
    closing?.closeAllConnections();
    if (closing !== null) await new Promise((resolve) => closing.close(resolve));
  };
  await open();
  const verifier = verifierKeyOf({ name, key }, 'cosignature/v1');
  return {
    /** As a worker is told of it. */
    configured: { kind: 'cosigner', id: writeVerifierKey(verifier), key: verifier, url: `http://127.0.0.1:${port}/prefix` } as const,
    key,
    asked,
    counts,
    latest,
    knows: (origin: string, log: VerifierKey): void => void logs.set(origin, log),
    answers: (how: typeof meddle): void => {
      meddle = how;
    },
    at: (clock: () => number): void => {
      now = clock;
    },
    /** From now on nobody answers, until it opens again at the same place. */
    close,
    open,
  };
};
