import { createWebhookKeyPair, createWebhookSecret, signWebhook } from '@grantlog/crypto';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createWebhookReceiver, type WebhookReceiverOptions } from '../../src/index.ts';
import { attempt, message, nowSeconds, told } from './attempts.ts';

const secret = createWebhookSecret();
const pair = createWebhookKeyPair();
const now = () => nowSeconds * 1000;
const receiver = (
  secrets: string | readonly string[],
  change: Omit<WebhookReceiverOptions, 'secrets' | 'jwksUri' | 'issuer' | 'url'> = {},
) => createWebhookReceiver({ secrets, now, ...change });
const verified = { kind: 'verified', message };
const notSigned = { kind: 'refused', reason: 'no_matching_signature', status: 403 };

// The libraries go by the system's clock.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: now() }));
afterEach(() => void vi.useRealTimers());

describe('beside other libraries', () => {
  const body = JSON.stringify(told);
  const signedBy = (library: StandardWebhook | SvixWebhook) => ({
    'webhook-id': message.id,
    'webhook-timestamp': String(nowSeconds),
    'webhook-signature': library.sign(message.id, new Date(now()), body),
  });

  test.each([
    ['standardwebhooks', StandardWebhook],
    ['svix', SvixWebhook],
  ])('takes what %s signs', async (_, Library) => {
    const { verify } = receiver(secret);
    expect(await verify({ headers: signedBy(new Library(secret)), body })).toEqual(verified);
    expect(await verify({ headers: signedBy(new Library(createWebhookSecret())), body })).toMatchObject(notSigned);
  });

  test.each([
    ['standardwebhooks', StandardWebhook],
    ['svix', SvixWebhook],
  ])('%s takes what the worker signs, also with both keys of a rotation and the Ed25519 ones beside them', (_, Library) => {
    const { headers } = attempt({ secrets: [createWebhookSecret(), pair.secretKey, secret], body });
    expect(() => new Library(secret).verify(body, headers as never)).not.toThrow();
    expect(() => new Library(createWebhookSecret()).verify(body, headers as never)).toThrow(/No matching signature/);
  });

  test("takes the signature that the standard's reference implementation publishes", async () => {
    const published = {
      headers: {
        'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        'webhook-timestamp': '1614265330',
        'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
      },
      body: '{"test": 2432232314}',
    };
    const { verify } = receiver('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', { now: () => 1_614_265_330_000 });
    // Its body is none of Grantlog's, which is looked at last.
    expect(await verify(published)).toMatchObject({ kind: 'refused', reason: 'unexpected_body', status: 400 });
    expect(await verify({ ...published, body: '{"test": 2432232315}' })).toMatchObject(notSigned);
  });
});

describe.each([
  ['v1', secret, secret],
  ['v1a', pair.secretKey, pair.publicKey],
])('a signature %s', (scheme, signer, known) => {
  test('is taken from a body of any form', async () => {
    const { headers, body } = attempt({ secrets: [signer] });
    const bytes = new TextEncoder().encode(body);
    for (const form of [body, bytes, Buffer.from(bytes), new Blob([bytes]).stream()])
      expect(await receiver(known).verify({ headers, body: form })).toEqual(verified);
  });

  test('counts for its id, time and body, and by its secret alone', async () => {
    const { headers, body } = attempt({ secrets: [signer] });
    const { verify } = receiver(known);
    expect(await verify({ headers, body })).toEqual(verified);
    for (const [name, value] of [
      ['webhook-id', `${message.id}0`],
      ['webhook-timestamp', String(nowSeconds + 1)],
      ['webhook-signature', headers['webhook-signature']?.replace(`${scheme},`, `${scheme}b,`) ?? ''],
      ['webhook-signature', signWebhook({ id: message.id, timestampSeconds: nowSeconds, body, secrets: [createWebhookSecret()] })],
    ] as const)
      expect(await verify({ headers: { ...headers, [name]: value }, body })).toMatchObject(notSigned);
    expect(await verify({ headers, body: body.replace('"sequence":3', '"sequence":4') })).toMatchObject(notSigned);
    expect(await verify({ headers, body: `${body}\n` })).toMatchObject(notSigned);
    for (const other of [createWebhookSecret(), createWebhookKeyPair().publicKey])
      expect(await receiver(other).verify({ headers, body })).toMatchObject(notSigned);
  });

  test('counts with any bit of it changed for nothing', async () => {
    const { headers, body } = attempt({ secrets: [signer] });
    const { verify } = receiver(known);
    const bytes = Buffer.from(headers['webhook-signature']?.split(',')[1] ?? '', 'base64');
    for (let at = 0; at < bytes.byteLength; at += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      const signature = `${scheme},${changed.toString('base64')}`;
      expect(await verify({ headers: { ...headers, 'webhook-signature': signature }, body })).toMatchObject(notSigned);
    }
  });

  test('is enough where a rotation has two, at either side', async () => {
    const { headers, body } = attempt({ secrets: [createWebhookSecret(), createWebhookKeyPair().secretKey, signer] });
    expect(await receiver(known).verify({ headers, body })).toEqual(verified);
    const ofOld = attempt({ secrets: [signer] });
    expect(await receiver([createWebhookSecret(), createWebhookKeyPair().publicKey, known]).verify(ofOld)).toEqual(verified);
  });
});

test('looks at sixteen signatures and no more', async () => {
  const { headers, body } = attempt({ secrets: [secret] });
  const behind = (count: number) => ({ ...headers, 'webhook-signature': `${'v1,AAAA '.repeat(count)}${headers['webhook-signature']}` });
  const { verify } = receiver(secret);
  expect(await verify({ headers: behind(15), body })).toEqual(verified);
  expect(await verify({ headers: behind(16), body })).toMatchObject(notSigned);
});

test.each(['a.b', `a.${nowSeconds}`, 'a b', 'ü', 'x'.repeat(129)])('refuses the id %j, even rightly signed', async (id) => {
  const { headers, body } = attempt({ secrets: [secret] });
  const signature = new StandardWebhook(secret).sign(id, new Date(now()), body);
  const outcome = await receiver(secret).verify({ headers: { ...headers, 'webhook-id': id, 'webhook-signature': signature }, body });
  expect(outcome).toMatchObject({ kind: 'refused', reason: 'malformed_id', status: 400 });
});

describe('the clock', () => {
  const at = (ms: number, change: Parameters<typeof receiver>[1] = {}) =>
    receiver(secret, { ...change, now: () => now() + ms }).verify(attempt({ secrets: [secret] }));
  const tooOld = { kind: 'refused', reason: 'too_old', status: 403 };
  const tooNew = { kind: 'refused', reason: 'too_new', status: 403 };

  test('may be five minutes off either way, as that of the libraries, and not a second more', async () => {
    expect([await at(300_999), await at(-300_000)]).toEqual([verified, verified]);
    expect(await at(301_000)).toMatchObject(tooOld);
    expect(await at(-300_001)).toMatchObject(tooNew);
  });

  test('may be off by what the receiver says', async () => {
    const toleranceSeconds = 10;
    expect([await at(10_999, { toleranceSeconds }), await at(-10_000, { toleranceSeconds })]).toEqual([verified, verified]);
    expect(await at(11_000, { toleranceSeconds })).toMatchObject(tooOld);
    expect(await at(-10_001, { toleranceSeconds })).toMatchObject(tooNew);
  });

  test.each([` ${nowSeconds}`, `+${nowSeconds}`, `${nowSeconds}.0`, '1.8e9', 'now'])('does not read %j as a time', async (timestamp) => {
    const { headers, body } = attempt({ secrets: [secret] });
    const outcome = await receiver(secret).verify({ headers: { ...headers, 'webhook-timestamp': timestamp }, body });
    expect(outcome).toMatchObject({ kind: 'refused', reason: 'malformed_timestamp', status: 400 });
  });
});

describe('the options', () => {
  const refusals: readonly [object, RegExp][] = [
    [{}, /^give either secrets, or jwksUri, or issuer and url$/],
    [{ secrets: secret, issuer: 'https://as.example', url: 'https://agent.example/hooks' }, /^give either/],
    [{ secrets: secret, jwksUri: 'https://as.example/keys' }, /^give either/],
    [{ jwksUri: 'https://as.example/keys', issuer: 'https://as.example', url: 'https://agent.example/hooks' }, /^give either/],
    [{ jwksUri: 'http://as.example/keys' }, /^jwksUri must be/],
    [{ jwksUri: '/keys' }, /^jwksUri must be/],
    [{ secrets: [] }, /^secrets/],
    [{ secrets: '' }, /^secrets/],
    [{ secrets: 'whsec_hunter2' }, /^secrets must be whsec_ or whpk_/],
    [{ secrets: pair.secretKey }, /^secrets must hold whpk_/],
    [{ issuer: 'http://as.example', url: 'https://agent.example/hooks' }, /^issuer/],
    [{ issuer: 'https://as.example' }, /^url/],
    [{ issuer: 'https://as.example', url: 'http://agent.example/hooks' }, /^url/],
    [{ secrets: secret, webhookToken: '' }, /^webhookToken/],
    [{ secrets: secret, webhookToken: 'hunter2 ' }, /^webhookToken/],
    [{ secrets: secret, toleranceSeconds: 0 }, /^toleranceSeconds/],
    [{ secrets: secret, maxBodyBytes: Number.NaN }, /^maxBodyBytes/],
    [{ secrets: secret, handlingSeconds: 1.5 }, /^handlingSeconds/],
    [{ secrets: secret, timeoutMs: -1 }, /^timeoutMs/],
  ];
  test.each(refusals)('%# that cannot be right are refused by name', (options, words) => {
    // What a caller without types may pass.
    const create = () => createWebhookReceiver(options as WebhookReceiverOptions);
    expect(create).toThrow(words);
    expect(create).toThrow(TypeError);
    expect(create).toThrow(new RegExp(`^(?!.*(hunter2|${pair.secretKey.slice(5, 20).replaceAll('+', '\\+')}))`));
  });
});
