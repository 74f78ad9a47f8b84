import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { type JwtClaims, type SigningKey, signJwt } from '@grantlog/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSecurityEventReceiver, type GuardProblem, type SecurityEventReceiverOptions } from '../../src/index.ts';
import { type FakeAuthorizationServer, startAuthorizationServer, status } from '../authorization-server.ts';
import { assemble, audience, authorization, claimsOf, makeKey, now, pushed, revoked } from './tokens.ts';

let server: FakeAuthorizationServer;
let key: SigningKey;
let claims: JwtClaims;
let problems: GuardProblem[];

beforeAll(async () => {
  server = await startAuthorizationServer();
  key = await makeKey();
  claims = claimsOf(server.issuer);
});
afterAll(() => server.stop());
beforeEach(() => {
  server.reset();
  server.reply('keys', { keys: [key.publicJwk] });
  problems = [];
});

const receiver = (change: Partial<SecurityEventReceiverOptions> = {}) =>
  createSecurityEventReceiver({
    issuer: server.issuer,
    audience,
    authorization,
    now: () => now,
    onProblem: (problem) => void problems.push(problem),
    ...change,
  });
const tokenOf = (change: JwtClaims = {}, by = key, typ = 'secevent+jwt') => signJwt({ key: by, typ, claims: { ...claims, ...change } });
const verify = (token: string) => receiver().verify(pushed(token));
const refusal = (reason: string, err: string) => ({
  kind: 'refused',
  reason,
  status: 400,
  headers: [['Content-Language', 'en']],
  body: { err, description: expect.any(String) },
});
const header = () => ({ alg: 'RS256', typ: 'secevent+jwt', kid: key.kid });
const byKey = (content: string): Buffer => sign('sha256', Buffer.from(content), key.privateKey);

test('an event is what its token says, once that is verified by a key of the issuer', async () => {
  expect(await verify(await tokenOf())).toEqual({
    kind: 'verified',
    event: {
      id: claims['jti'],
      type: revoked,
      subject: claims['sub_id'],
      payload: { initiating_entity: 'policy' },
      issuedAt: new Date(1_799_999_000_000),
      transaction: 't1',
    },
  });
  expect(problems).toEqual([]);
});

test('it needs no subject and no transaction, has no end, and may name others beside this receiver', async () => {
  const token = await tokenOf({ sub_id: undefined, txn: undefined, aud: ['another', audience], exp: 1, events: { 'urn:a:b': {} } });
  expect(await verify(token)).toMatchObject({
    kind: 'verified',
    event: { type: 'urn:a:b', payload: {}, subject: null, transaction: null },
  });
});

test.each(['ES256', 'EdDSA'] as const)('%s is taken where the issuer has a key of it', async (alg) => {
  const other = await makeKey(alg);
  server.reply('keys', { keys: [key.publicJwk, other.publicJwk] });
  expect(await verify(await tokenOf({}, other))).toMatchObject({ kind: 'verified' });
});

describe('a token is refused', () => {
  test('without a signature, whatever it is called', async () => {
    for (const alg of ['none', 'None', 'NONE', ''])
      expect(await verify(assemble({ ...header(), alg }, claims, () => Buffer.alloc(0)))).toEqual(
        refusal('other_algorithm', 'invalid_key'),
      );
  });

  test('that is signed with what everybody knows, the public key as a secret', async () => {
    const publicKey = createPublicKey({ key: { ...key.publicJwk }, format: 'jwk' });
    for (const secret of [publicKey.export({ type: 'spki', format: 'pem' }), publicKey.export({ type: 'spki', format: 'der' })])
      for (const alg of ['HS256', 'HS384', 'HS512']) {
        const token = assemble({ ...header(), alg }, claims, (content) =>
          createHmac(`sha${alg.slice(2)}`, secret)
            .update(content)
            .digest(),
        );
        expect(await verify(token)).toEqual(refusal('other_algorithm', 'invalid_key'));
      }
  });

  test('of an algorithm that is not that of its key', async () => {
    const padding = { key: key.privateKey, padding: 6, saltLength: 32 };
    const token = assemble({ ...header(), alg: 'PS256' }, claims, (content) => sign('sha256', Buffer.from(content), padding));
    expect(await verify(token)).toEqual(refusal('unknown_key', 'invalid_key'));
  });

  test('that another key has signed, or nobody once it was changed', async () => {
    const forged = { ...(await makeKey()), kid: key.kid };
    expect(await verify(await tokenOf({}, forged))).toEqual(refusal('bad_signature', 'authentication_failed'));
    const [first = '', , last = ''] = (await tokenOf()).split('.');
    const [, changed = ''] = (await tokenOf({ sub_id: { format: 'opaque', id: 'g2' } })).split('.');
    expect(await verify(`${first}.${changed}.${last}`)).toEqual(refusal('bad_signature', 'authentication_failed'));
  });

  test('that names no key of the issuer, and the one that it brings is not looked at', async () => {
    const { publicJwk, privateKey } = await makeKey();
    const byOther = (content: string): Buffer => sign('sha256', Buffer.from(content), privateKey);
    const brought = { jwk: publicJwk, jku: `${server.origin}/theirs`, x5u: `${server.origin}/theirs` };
    for (const kid of ['unknown', '', undefined, 7, null])
      expect(await verify(assemble({ ...header(), ...brought, kid }, claims, byOther))).toEqual(refusal('unknown_key', 'invalid_key'));
    expect(await verify(assemble({ ...header(), ...brought }, claims, byOther))).toEqual(refusal('bad_signature', 'authentication_failed'));
    const { kid: _, ...unnamed } = header();
    expect(await verify(assemble(unnamed, claims, byKey))).toEqual(refusal('unknown_key', 'invalid_key'));
  });

  test('by a key of the issuer that is too short, or meant for something else', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const short = { ...publicKey.export({ format: 'jwk' }), kid: key.kid };
    server.reply('keys', { keys: [short] });
    const token = assemble(header(), claims, (content) => sign('sha256', Buffer.from(content), privateKey));
    expect(await verify(token)).toEqual(refusal('unknown_key', 'invalid_key'));
    server.reply('keys', { keys: [{ ...key.publicJwk, use: 'enc' }] });
    expect(await verify(await tokenOf())).toEqual(refusal('unknown_key', 'invalid_key'));
  });

  test('of any other type, such as an access token or an ID token of the same keys', async () => {
    for (const typ of ['JWT', 'at+jwt', 'logout+jwt', 'secevent', ''])
      expect(await verify(await tokenOf({}, key, typ))).toEqual(refusal('other_type', 'invalid_request'));
    const { typ: _, ...untyped } = header();
    expect(await verify(assemble(untyped, claims, byKey))).toEqual(refusal('other_type', 'invalid_request'));
  });

  test('with a header that it calls critical', async () => {
    const token = assemble({ ...header(), crit: ['b64'], b64: true }, claims, byKey);
    expect(await verify(token)).toEqual(refusal('malformed_token', 'invalid_request'));
  });

  test('of another issuer, whose keys are not asked for', async () => {
    for (const iss of ['https://as.example', `${server.issuer}/`, undefined, [server.issuer]])
      expect(await verify(await tokenOf({ iss }))).toEqual(refusal('other_issuer', 'invalid_issuer'));
    expect(server.asked('keys')).toEqual([]);
  });

  test('for another audience', async () => {
    for (const aud of ['another', `${audience} `, undefined, [], ['another'], { [audience]: true }])
      expect(await verify(await tokenOf({ aud }))).toEqual(refusal('other_audience', 'invalid_audience'));
  });

  test('with two events, with none, and with what is none', async () => {
    const one = { initiating_entity: 'policy' };
    for (const events of [
      { [revoked]: one, 'urn:a:b': {} },
      {},
      undefined,
      null,
      [one],
      revoked,
      { [revoked]: null },
      { [revoked]: [] },
      { revoked: one },
    ])
      expect(await verify(await tokenOf({ events }))).toEqual(refusal('unexpected_claims', 'invalid_request'));
  });

  test('without an id or a time, with a subject that is none, or from the future', async () => {
    const changes: readonly JwtClaims[] = [
      { jti: undefined },
      { jti: '' },
      { jti: 7 },
      { jti: 'x'.repeat(257) },
      { jti: 'a\u0000b' },
      { iat: undefined },
      { iat: '1799999000' },
      { iat: 1e300 },
      { sub_id: 'g1' },
      { nbf: now / 1000 + 1 },
    ];
    for (const change of changes) expect(await verify(await tokenOf(change))).toEqual(refusal('unexpected_claims', 'invalid_request'));
  });

  test('that is none', async () => {
    const token = await tokenOf();
    const [first = '', second = '', third = ''] = token.split('.');
    const others = [
      '',
      '.',
      '..',
      'Ä.Ö.Ü',
      first,
      `${first}.${second}`,
      `${token}.`,
      `${token}\n`,
      `${first}.${second}.${third}=`,
      '{}',
      `null.${second}.x`,
    ];
    for (const other of others) {
      const outcome = await verify(other);
      expect([other, outcome]).toMatchObject([other, { kind: 'refused', status: 400 }]);
    }
    expect(await verify(`bnVsbA.${second}.${third}`)).toEqual(refusal('unknown_key', 'invalid_key'));
    expect(await verify('e30.W10.')).toMatchObject({ body: { err: 'invalid_issuer' } });
    for (const other of [first, `${first}.${second}`, `${token}.`, `${token}\n`])
      expect(await verify(other)).toEqual(refusal('malformed_token', 'invalid_request'));
  });
});

describe('a request is refused', () => {
  const verifyWith = async (headers: Readonly<Record<string, string | readonly string[] | undefined>>, change = {}) =>
    receiver(change).verify(pushed(await tokenOf(), headers));

  test('of another media type', async () => {
    for (const type of [
      undefined,
      'application/json',
      'application/jwt',
      'application/secevent+jwtx',
      'text/plain; application/secevent+jwt',
    ])
      expect(await verifyWith({ 'content-type': type })).toEqual(refusal('other_media_type', 'invalid_request'));
    for (const type of ['Application/SecEvent+JWT', 'application/secevent+jwt; charset=utf-8'])
      expect(await verifyWith({ 'content-type': type })).toMatchObject({ kind: 'verified' });
  });

  test('with another Authorization than the receiver has asked for, of which there may be two', async () => {
    for (const shown of [undefined, '', 'Bearer', 'Bearer another', authorization.toLowerCase(), `${authorization}x`])
      expect(await verifyWith({ authorization: shown })).toEqual(refusal('other_authorization', 'authentication_failed'));
    expect(await verifyWith({ authorization: 'next' }, { authorization: [authorization, 'next'] })).toMatchObject({ kind: 'verified' });
    expect(await verifyWith({ authorization: undefined }, { authorization: [] })).toMatchObject({ kind: 'verified' });
    expect(server.asked('keys')).toHaveLength(2);
  });

  test('with a header twice', async () => {
    for (const name of ['content-type', 'authorization'])
      expect(await verifyWith({ [name]: ['a', 'a'] })).toEqual(refusal('repeated_header', 'invalid_request'));
  });

  test('with a larger body, of which no more is read, and one that breaks off', async () => {
    let read = 0;
    const endless = async function* (): AsyncGenerator<string> {
      for (; read < 1_000; read += 1) yield 'x'.repeat(1_024);
    };
    expect(await receiver().verify({ ...pushed(''), body: endless() })).toEqual({
      kind: 'refused',
      reason: 'body_too_large',
      status: 413,
      headers: [['Connection', 'close']],
      body: null,
    });
    expect(read).toBeLessThan(100);
    const token = await tokenOf();
    expect(await receiver({ maxBodyBytes: token.length - 1 }).verify(pushed(token))).toMatchObject({ status: 413 });
    expect(await receiver({ maxBodyBytes: token.length }).verify(pushed(token))).toMatchObject({ kind: 'verified' });
    const broken = async function* (): AsyncGenerator<string> {
      yield token;
      throw new Error('gone');
    };
    expect(await receiver().verify({ ...pushed(''), body: broken() })).toEqual(refusal('unreadable_body', 'invalid_request'));
  });
});

test('keys that cannot be read are no fault of the transmitter', async () => {
  server.reply('keys', status(500));
  expect(await verify(await tokenOf())).toEqual({
    kind: 'refused',
    reason: 'keys_unavailable',
    status: 503,
    headers: [['Retry-After', '10']],
    body: null,
  });
  expect(problems).toMatchObject([{ kind: 'unreachable' }]);
});

test('keys of the platform may change: a new one is found, and strangers have nobody asked every time', async () => {
  const { verify: verifyNext } = receiver({ now: () => time });
  let time = now;
  expect(await verifyNext(pushed(await tokenOf()))).toMatchObject({ kind: 'verified' });
  const next = await makeKey();
  server.reply('keys', { keys: [next.publicJwk, key.publicJwk] });
  time += 10_000;
  expect(await verifyNext(pushed(await tokenOf({}, next)))).toMatchObject({ kind: 'verified' });
  for (const kid of ['a', 'b', 'c'])
    expect(await verifyNext(pushed(await tokenOf({}, { ...key, kid })))).toMatchObject({ reason: 'unknown_key' });
  expect(server.asked('keys')).toHaveLength(2);
});
