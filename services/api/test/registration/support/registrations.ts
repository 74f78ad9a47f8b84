import { randomToken } from '@grantlog/crypto';
import { parsePlatformDocument } from '@grantlog/domain';
import type { PlatformId } from '@grantlog/eventsourcing';
import { type By, configurePlatform } from '@grantlog/provisioning';
import type { InjectOptions } from 'fastify';
import { type Answer, createWorld, type Json, tenantJson } from '../../management/support/world.ts';

export const by: By = { actor: { kind: 'system', id: 'test' }, correlationId: 'test' };

/** What a client that registered has in hand. */
export type Registered = {
  readonly id: string;
  readonly body: Json;
  /** For requests about itself. */
  readonly token: string;
};

/** Every value of an answer that a validating client would trip over. */
export const stumblingBlocks = (body: object): readonly string[] =>
  Object.entries(body)
    .filter(([, value]) => value === null || value === '' || (Array.isArray(value) && value.length === 0))
    .map(([name]) => name);

export const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code';

/** A world with the platform `home`, open to clients that nobody knows. */
export const openRegistrations = async (databaseUrl: string) => {
  const world = await createWorld(databaseUrl);

  const configure = async (name: string, more: object = {}): Promise<PlatformId> => {
    const parsed = parsePlatformDocument(
      tenantJson(name, {
        scopes: [
          { name: 'vault:read', description: 'Read your things', default: true },
          { name: 'vault:write', description: 'Change your things', implies: ['vault:read'] },
          { name: 'account', description: 'Change your password' },
        ],
        resources: [{ uri: `https://${name}.example/mcp`, name: 'The server', scopes: ['vault:read', 'vault:write'] }],
        grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
        registration: { policy: ['preset', 'open'] },
        tokens: { prefix: 'avo' },
        ...more,
      }),
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const outcome = await configurePlatform(world.deps.provisioning, by, parsed.document);
    if (outcome.kind === 'refused') throw new Error(outcome.refusal);
    return parsed.document.name as PlatformId;
  };
  const home = await configure('home');

  const send = async (options: InjectOptions): Promise<Answer> => {
    const response = await world.app.inject(options);
    const isJson = String(response.headers['content-type']).includes('json');
    return {
      status: response.statusCode,
      body: isJson && response.body !== '' ? (response.json() as Json) : {},
      headers: response.headers,
      text: response.body,
    };
  };
  /** Each from an address of its own, so that no test waits for another's budget. */
  let visitors = 0;
  const address = (): string => {
    visitors += 1;
    return `198.51.${Math.floor(visitors / 250)}.${(visitors % 250) + 1}`;
  };
  const register = (payload: object | string, at = 'home', remoteAddress = address()): Promise<Answer> =>
    send({ method: 'POST', url: `/${at}/oauth/register`, headers: { 'content-type': 'application/json' }, payload, remoteAddress });
  const registered = async (payload: object, at = 'home'): Promise<Registered> => {
    const { status, body, text } = await register(payload, at);
    if (status !== 201) throw new Error(text);
    return { id: String(body['client_id']), body, token: String(body['registration_access_token']) };
  };
  /** A request about a registration, with a token of its choice. */
  const manage = (method: 'GET' | 'PUT' | 'DELETE', id: string, token: string | null, payload?: object, at = 'home'): Promise<Answer> =>
    send({
      method,
      url: `/${at}/oauth/register/${id}`,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      remoteAddress: address(),
      ...(payload === undefined ? {} : { payload }),
    });
  const authorize = (clientId: string, redirectUri = 'https://a.example/cb'): Promise<Answer> =>
    send({
      method: 'GET',
      url: `/home/oauth/authorize?${new URLSearchParams({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        code_challenge: randomToken(32),
        code_challenge_method: 'S256',
      })}`,
    });
  const token = (form: Readonly<Record<string, string>>): Promise<Answer> =>
    send({
      method: 'POST',
      url: '/home/oauth/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(form).toString(),
    });

  return { ...world, home, configure, send, register, registered, manage, authorize, token };
};

export type Registrations = Awaited<ReturnType<typeof openRegistrations>>;
