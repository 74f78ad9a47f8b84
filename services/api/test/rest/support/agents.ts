import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { mintToken, parseToken, randomUuid } from '@grantlog/crypto';
import { deviceCodeGrant, parsePlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type By, configurePlatform } from '@grantlog/provisioning';
import type { InjectOptions } from 'fastify';
import { expect } from 'vitest';
import { linkSession } from '../../../../../test/support/link-session.ts';
import type { AgentContext } from '../../../src/agent/context.ts';
import type { Deps } from '../../../src/deps.ts';
import { type Answer, createWorld, type Json } from '../../management/support/world.ts';

const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };

export const publicUrl = 'http://localhost:4000';

/** A token that says the same and is well-formed, by somebody who has no key of the platform. */
export const forge = (token: string, platform: PlatformId): string => {
  const parsed = parseToken(token);
  if (parsed === null) throw new Error('not a token of ours');
  const { prefix, kind, payload } = parsed;
  return mintToken({ prefix, kind, platform, key: randomBytes(32), nonce: randomBytes(32), payload });
};

export type Asked = {
  readonly token?: string;
  readonly body?: object;
  readonly at?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

/** A server with Arlo Health as it is shipped, and agents that speak to its REST API. */
export const createAgentWorld = async (databaseUrl: string, settings: { readonly isDevelopment?: boolean } = {}) => {
  const world = await createWorld(databaseUrl, settings);
  const shipped = await readFile(new URL('../../../../../infra/platforms/arlo-health.json', import.meta.url), 'utf8');

  /** Arlo Health by another name, changed as a test wants it. */
  const open = async (name: string, more: object = {}): Promise<PlatformId> => {
    const parsed = parsePlatformDocument({ ...JSON.parse(shipped.replaceAll('{issuer}', `${publicUrl}/${name}`)), name, ...more });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const outcome = await configurePlatform(world.deps.provisioning, by, parsed.document);
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return name as PlatformId;
  };
  const health = await open('arlo-health');

  const rest = async (
    method: InjectOptions['method'],
    path: string,
    { token, body, at = health, headers = {} }: Asked = {},
  ): Promise<Answer> => {
    const response = await world.app.inject({
      method: method ?? 'GET',
      url: `/${at}/rest${path}`,
      headers: { 'user-agent': 'helpful-agent/1.0', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers },
      ...(body === undefined ? {} : { payload: body }),
    });
    return {
      status: response.statusCode,
      body: response.body === '' ? {} : (response.json() as Json),
      headers: response.headers,
      text: response.body,
    };
  };

  /** A sign-up that nobody has answered yet. */
  const begin = async (more: object = {}, at: string = health): Promise<Answer> =>
    rest('POST', '/signup', { at, body: { baseUrl: `${publicUrl}/${at}/mcp`, ...more } });

  const redeem = async (sessionId: string, more: Readonly<Record<string, string>> = {}, at: string = health): Promise<Answer> => {
    const response = await world.app.inject({
      method: 'POST',
      url: `/${at}/oauth/token`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: String(
        new URLSearchParams({ grant_type: deviceCodeGrant, client_id: 'unidentified-agent', device_code: sessionId, ...more }),
      ),
    });
    return { status: response.statusCode, body: response.json() as Json, headers: response.headers, text: response.body };
  };

  /** A session whose person has connected, not redeemed yet. */
  const linked = async (more: object = {}, at: PlatformId = health) => {
    const { body } = await begin(more, at);
    const sessionId = String(body['sessionId']);
    const person = await world.account(at);
    await linkSession(world.deps, { platform: at, sessionId, account: person.id });
    return { sessionId, person, begun: body };
  };

  /** A session in use, and its tokens. */
  const connected = async (more: object = {}, at: PlatformId = health) => {
    const session = await linked(more, at);
    const { body, text } = await redeem(session.sessionId, {}, at);
    if (typeof body['access_token'] !== 'string') throw new Error(text);
    return { ...session, token: body['access_token'], refreshToken: String(body['refresh_token']) };
  };

  /** A call of an operation itself, by a clock that is so many seconds ahead. */
  const later = async (seconds: number, of: { readonly token?: string; readonly at?: PlatformId } = {}): Promise<AgentContext> => {
    const { log } = world.deps;
    const deps: Deps = {
      ...world.deps,
      log: {
        ...log,
        load: async (...asked: Parameters<typeof log.load>) => {
          const loaded = await log.load(...asked);
          return { ...loaded, now: loaded.now + seconds * 1000 };
        },
      },
    };
    const names = await deps.directory.open(of.at ?? health);
    if (names === null) throw new Error('no such platform');
    const prove = (): Promise<never> => Promise.reject(new Error('no token here is bound to a key'));
    const shown: AgentContext['shown'] = of.token === undefined ? null : { scheme: 'Bearer', token: of.token, prove };
    return { deps, names, from: { address: '192.0.2.1', userAgent: 'x' }, shown, requestId: randomUuid(), correlationId: 'test' };
  };

  return { ...world, health, open, rest, begin, redeem, linked, connected, later };
};

export type AgentWorld = Awaited<ReturnType<typeof createAgentWorld>>;

/** What every refusal looks like over REST. */
export const problemOf = (status: number, error: string, detail: unknown = expect.any(String)) => ({
  status,
  headers: expect.objectContaining({ 'content-type': expect.stringContaining('application/problem+json'), 'cache-control': 'no-store' }),
  body: expect.objectContaining({
    type: `urn:grantlog:problem:${error}`,
    status,
    code: error,
    error,
    detail,
    resolution: expect.any(String),
  }),
});
