import { parsePlatformId } from '@grantlog/domain';
import type { ConnectionStep, ConnectionStepName } from '@grantlog/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { networkOf } from '../access/network.ts';
import type { Deps } from '../deps.ts';
import { refusalOf } from '../http/error-response.ts';
import type { TraceRecorder } from './recorder.ts';
import { createSeldom } from './seldom.ts';

/** What a route learns of the attempt that its request belongs to. It fills in what it knows, as soon as it does. */
type Traced = {
  client?: string;
  attempt?: string;
  grant?: string;
  /** Why the client did not get what it came for, as it was told. */
  refusal?: { readonly error: string; readonly detail: string };
  /** Nothing happened that belongs to an attempt. */
  unremarkable?: boolean;
};

declare module 'fastify' {
  interface FastifyRequest {
    traced: Traced;
  }
  interface FastifyContextConfig {
    /** The step on the way of a client that connects which requests to this route are. */
    readonly trace?: ConnectionStepName;
  }
}

/** What a device is told each time it asks whether its person has decided: nothing has failed (RFC 8628 §3.5). */
const notYet: ReadonlySet<string> = new Set(['authorization_pending', 'slow_down']);

const longest = { client: 512, detail: 300, program: 100 };

/** Texts come from anybody: what Postgres does not take is replaced. */
const plain = (text: string, limit: number): string => text.replaceAll(/\p{Cc}|\p{Cs}/gu, '\ufffd').slice(0, limit);

/** Whether somebody has put a secret or a token where an id belongs. Ids that are made here are shorter, and others are URLs. */
const mayBeSecret = (clientId: string): boolean => clientId.length > 40 && !clientId.startsWith('https://');

/** Who asked, as one place: a MAC under the server's own secret, so that the table names no address. */
const visitorOf = ({ sealer }: Pick<Deps, 'sealer'>, request: FastifyRequest): Uint8Array =>
  sealer.mac('connection visitor', new TextEncoder().encode(networkOf(request.ip) ?? 'unknown'));

/** The metadata that one place looks up again and again says nothing new for so many milliseconds. */
const quiet = 60_000;

/** Has every route with a `trace` note its requests, once they are answered. Platforms that are not there have none. */
export const traceRoutes = (app: FastifyInstance, deps: Deps & { readonly traces: TraceRecorder }): void => {
  const isNew = createSeldom(quiet);
  // A reference shared by all requests would be everybody's: each gets its own.
  app.decorateRequest('traced');
  app.addHook('onRequest', async (request) => {
    request.traced = {};
  });
  app.addHook('onResponse', async (request, reply) => {
    const { trace } = request.routeOptions.config;
    const { traced } = request;
    if (trace === undefined || traced.unremarkable === true || request.method === 'OPTIONS') return;
    const { platform: named = '' } = request.params as { readonly platform?: string };
    const platform = parsePlatformId(named);
    if (platform === null || (await deps.directory.open(platform).catch(() => null)) === null) return;
    // Most forms of the way to a decision decide nothing yet.
    if (trace === 'consent' && traced.grant === undefined) return;
    const visitor = visitorOf(deps, request);
    const failed = reply.statusCode >= 400;
    // A query makes no other document of it.
    const path = request.url.split('?', 1)[0]?.slice(0, longest.detail) ?? '';
    if (trace === 'discovery' && !isNew(`${platform} ${Buffer.from(visitor).toString('base64')} ${path}`, Date.now())) return;
    const refusal =
      traced.refusal ?? refusalOf(request) ?? (failed ? { error: `http_${reply.statusCode}`, detail: 'The request was refused' } : null);
    if (trace === 'token' && refusal !== null && notYet.has(refusal.error)) return;
    deps.traces.note({
      platform,
      step: trace,
      refusal: refusal === null ? null : { error: plain(refusal.error, 64), detail: plain(refusal.detail, longest.detail) },
      attempt: traced.attempt ?? null,
      request: request.id,
      client: traced.client === undefined || (failed && mayBeSecret(traced.client)) ? null : plain(traced.client, longest.client),
      grant: traced.grant ?? null,
      visitor,
      program: request.headers['user-agent'] === undefined ? null : plain(request.headers['user-agent'], longest.program),
    } satisfies ConnectionStep);
  });
};
