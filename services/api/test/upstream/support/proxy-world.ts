import { once } from 'node:events';
import { request as ask, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUuid } from '@grantlog/crypto';
import { type PlatformDocument, parsePlatformDocument } from '@grantlog/domain';
import { createDatabase, migrate } from '@grantlog/postgres';
import { type By, configurePlatform } from '@grantlog/provisioning';
import { createLogger, type ServiceConfig } from '@grantlog/runtime';
import type { FastifyInstance } from 'fastify';
import { createApp } from '../../../src/app.ts';
import { compose } from '../../../src/compose.ts';
import { testConfig } from '../../support/config.ts';

export const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };
export const publicUrl = 'http://localhost:4000';

type Seen = { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string };
type Told = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly raw: readonly string[];
  readonly text: string;
};
type Answer = (request: IncomingMessage, reply: ServerResponse) => void;

const documentOf = (name: string, more: object): PlatformDocument => {
  const parsed = parsePlatformDocument({ name, displayName: name, scopes: [{ name: 'read', description: 'Read' }], ...more });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.document;
};
const resource = (uri: string, at: string | null) => ({ uri, name: uri, scopes: ['read'], upstream: at });

/** A server on loopback that keeps what it was asked, and answers as it is told. */
const startUpstream = async () => {
  const seen: Seen[] = [];
  let answer: Answer = () => {};
  const server = createServer(async (request, reply) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString('latin1') });
    answer(request, reply);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    server,
    seen,
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answerWith: (next: Answer): void => {
      answer = next;
    },
    close: (): void => {
      server.close();
      server.closeAllConnections();
    },
  };
};

/**
 * Platforms with resources behind two API processes, of which the second trusts the proxy before it.
 *
 * @param more.upstreamPatience of both processes; their own default where it is not given.
 * @param more.elsewhere the origin of one more resource of `acme`, at `/elsewhere`.
 */
export const createProxyWorld = async (
  connectionString: string,
  more: { readonly upstreamPatience?: number; readonly elsewhere?: string } = {},
) => {
  const upstream = await startUpstream();
  const gone = await startUpstream();
  gone.close();
  const databaseUrl = await createDatabase({ connectionString, name: `proxy_${randomUuid().replaceAll('-', '')}` });
  await migrate({ connectionString: databaseUrl });
  const config = testConfig(databaseUrl, { publicUrl });
  const lines: string[] = [];
  const endpoints: string[] = [];
  const logger = createLogger({ service: 'api', level: 'debug', destination: { write: (line: string) => void lines.push(line) } });
  const start = async (given: ServiceConfig) => {
    const deps = await compose(given, logger);
    const { upstreamPatience } = more;
    const patience = upstreamPatience === undefined ? {} : { upstreamPatience };
    const app = await createApp({ ...deps, ...patience, logger, onAnswered: ({ endpoint }) => void endpoints.push(endpoint) });
    await app.listen({ host: '127.0.0.1', port: 0 });
    return { deps, app };
  };
  const { origin } = upstream;
  const first = await compose(config, logger);
  for (const document of [
    documentOf('acme', {
      resources: [
        resource(`${publicUrl}/acme/api`, `${origin}/own`),
        resource(`${publicUrl}/acme/gone`, gone.origin),
        resource(`${publicUrl}/acme/direct`, null),
        resource(`${publicUrl}/acme/elsewhere`, more.elsewhere ?? null),
        resource(`${publicUrl}/other/stolen`, `${origin}/stolen`),
      ],
    }),
    documentOf('other', { resources: [resource(`${publicUrl}/other/api`, `${origin}/other`)] }),
    documentOf('paused', { resources: [resource(`${publicUrl}/paused/api`, origin)] }),
    documentOf('greedy', { resources: [resource(`${publicUrl}/greedy`, `${origin}/greedy`)] }),
    documentOf('housed', {
      issuer: 'https://housed.example',
      hosts: ['housed.example'],
      resources: [resource('https://housed.example/api', `${origin}/housed`)],
    }),
  ]) {
    const configured = await configurePlatform(first.provisioning, by, document);
    if (configured.kind === 'refused') throw new Error(configured.refusal);
  }
  await first.stop();
  // Only now: the hosts are read when a process starts.
  const plain = await start(config);
  const trusting = await start({ ...config, trustProxy: ['127.0.0.1', '10.0.0.0/8'] });

  /** Sends a request as the bytes say it; fetch would tidy paths and headers up. */
  const send = (
    path: string,
    how: {
      readonly method?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string | Buffer;
      readonly to?: FastifyInstance;
    } = {},
  ): Promise<Told> =>
    new Promise((resolve, reject) => {
      const { port } = (how.to ?? plain.app).server.address() as AddressInfo;
      const asked = ask({ host: '127.0.0.1', port, path, method: how.method ?? 'GET', headers: how.headers ?? {}, agent: false });
      asked.once('error', reject);
      asked.once('response', (response) => {
        const { statusCode: status = 0, headers, rawHeaders: raw } = response;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => resolve({ status, headers, raw, text: Buffer.concat(chunks).toString() }));
      });
      asked.end(how.body);
    });

  return {
    upstream,
    gone: gone.origin,
    deps: plain.deps,
    app: plain.app,
    trusting: trusting.app,
    lines,
    endpoints,
    send,
    /** Forgets what was seen, and lets the resource answer 200. */
    reset: (): void => {
      for (const list of [upstream.seen, lines, endpoints]) list.length = 0;
      upstream.answerWith((_, reply) => reply.end('from the resource'));
    },
    close: async (): Promise<void> => {
      for (const { app, deps } of [plain, trusting]) {
        await app.close();
        await deps.stop();
      }
      upstream.close();
    },
  };
};

export type ProxyWorld = Awaited<ReturnType<typeof createProxyWorld>>;
