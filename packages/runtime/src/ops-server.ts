import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { redactText } from './redaction.ts';

/** Resolves while what it checks works, rejects with the reason where it does not. */
export type ReadinessCheck = () => Promise<unknown>;

/** The operations endpoints of a process: `/healthz`, `/readyz`, `/metrics`. */
export type OpsServer = {
  /** Starts to listen; answers the port, which the system chose where it was 0. */
  readonly listen: () => Promise<number>;
  /** Makes `/readyz` answer 503 from now on, so that balancers send no more work. */
  readonly drain: () => void;
  readonly close: () => Promise<void>;
};

const checkTimeoutMs = 2_000;

const fails = async (check: ReadinessCheck): Promise<string | null> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${checkTimeoutMs} ms`), checkTimeoutMs);
  });
  const asked = Promise.resolve()
    .then(check)
    .then(
      () => null,
      (error: unknown) => redactText(error instanceof Error ? error.message : String(error)),
    );
  const outcome = await Promise.race([asked, late]);
  clearTimeout(timer);
  return outcome;
};

const answerJson = (reply: ServerResponse, status: number, body: unknown): void => {
  reply.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body));
};

/**
 * Makes the operations server. It is for the orchestrator's network, never for the world.
 *
 * @param options.port 0 lets the system choose.
 * @param options.checks by the name under which `/readyz` reports them; each has two seconds.
 */
export const createOpsServer = (options: {
  readonly host: string;
  readonly port: number;
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  readonly metrics: Metrics;
  readonly log: Logger;
}): OpsServer => {
  let draining = false;

  const readiness = async (reply: ServerResponse): Promise<void> => {
    if (draining) return answerJson(reply, 503, { status: 'draining' });
    const outcomes = await Promise.all(Object.entries(options.checks).map(async ([name, check]) => [name, await fails(check)] as const));
    const failing = Object.fromEntries(outcomes.filter(([, why]) => why !== null));
    if (Object.keys(failing).length === 0) return answerJson(reply, 200, { status: 'ready' });
    options.log.warn({ failing }, 'not ready');
    answerJson(reply, 503, { status: 'unavailable', failing });
  };

  const answer = async (path: string, reply: ServerResponse): Promise<void> => {
    if (path === '/healthz') return answerJson(reply, 200, { status: 'ok' });
    if (path === '/readyz') return readiness(reply);
    if (path !== '/metrics') return answerJson(reply, 404, { status: 'not found', paths: ['/healthz', '/readyz', '/metrics'] });
    const body = await options.metrics.render();
    reply.writeHead(200, { 'content-type': options.metrics.contentType }).end(body);
  };

  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 5_000 }, (request, reply) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      reply.setHeader('allow', 'GET, HEAD');
      return answerJson(reply, 405, { status: 'method not allowed' });
    }
    const [path = ''] = (request.url ?? '').split('?', 1);
    answer(path, reply).catch((err: unknown) => {
      options.log.error({ err, path }, 'an operations request failed');
      if (!reply.headersSent) answerJson(reply, 500, { status: 'error' });
    });
  });

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(options.port, options.host, () => {
          server.off('error', reject);
          // A TCP server's address is never a pipe name.
          resolve((server.address() as AddressInfo).port);
        });
      }),
    drain: () => {
      draining = true;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
