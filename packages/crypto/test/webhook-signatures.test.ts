import { createHmac, createPublicKey, verify } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import {
  createWebhookKeyPair,
  createWebhookSecret,
  generateSigningKey,
  importSigningKey,
  parseWebhookSecret,
  readWebhookKey,
  signWebhook,
  verifyWebhook,
} from '../src/index.ts';

const vector = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestampSeconds: 1614265330,
  body: '{"test": 2432232314}',
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  pair: 'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==',
};
const now = 1_795_250_000;
const message = { id: 'dlv_1', timestampSeconds: now, body: '{"type":"grant.revoked"}' };
const received = (secrets: readonly string[]) => ({
  id: message.id,
  timestamp: String(now),
  signature: signWebhook({ ...message, secrets }),
  body: message.body,
  nowSeconds: now,
});

describe('signing', () => {
  test('gives the published v1 signature', () => {
    expect(signWebhook({ ...vector, secrets: [vector.secret] })).toBe(vector.signature);
  });

  test('gives the published v1a signature', () => {
    expect(signWebhook({ ...vector, secrets: [vector.pair] })).toBe(
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
    );
  });

  test('lists one signature for each secret, in their order, separated by spaces', () => {
    const old = createWebhookSecret();
    const list = signWebhook({ ...vector, secrets: [vector.secret, vector.pair, old] }).split(' ');
    expect(list).toEqual([vector.secret, vector.pair, old].map((secret) => signWebhook({ ...vector, secrets: [secret] })));
  });

  test('adds the signature of a platform key, which Web Crypto verifies by its public JWK', async () => {
    const key = importSigningKey(await generateSigningKey('EdDSA'));
    const [own, platforms = ''] = signWebhook({ ...message, secrets: [vector.pair], keys: [key] }).split(' ');
    expect(own).toBe(signWebhook({ ...message, secrets: [vector.pair] }));
    const { kty, crv = '', x = '' } = key.publicJwk;
    const imported = await crypto.subtle.importKey('jwk', { kty, crv, x }, { name: 'Ed25519' }, false, ['verify']);
    const verifies = (text: string): Promise<boolean> =>
      crypto.subtle.verify(
        { name: 'Ed25519' },
        imported,
        Uint8Array.fromBase64(platforms.slice('v1a,'.length)),
        new TextEncoder().encode(text),
      );
    expect(await verifies(`dlv_1.${now}.${message.body}`)).toBe(true);
    expect(await verifies(`dlv_1.${now + 1}.${message.body}`)).toBe(false);
  });

  test('takes no platform key of another algorithm', async () => {
    const key = importSigningKey(await generateSigningKey('ES256'));
    expect(() => signWebhook({ ...message, secrets: [vector.secret], keys: [key] })).toThrow(RangeError);
  });

  test('is accepted by the standardwebhooks library', () => {
    const secret = createWebhookSecret();
    const seconds = Math.floor(Date.now() / 1000);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const body = JSON.stringify({ text });
        const headers = {
          'webhook-id': 'dlv_1',
          'webhook-timestamp': String(seconds),
          'webhook-signature': signWebhook({ id: 'dlv_1', timestampSeconds: seconds, body, secrets: [createWebhookSecret(), secret] }),
        };
        expect(new Webhook(secret).verify(body, headers)).toEqual({ text });
      }),
    );
  });

  test('covers id, time and body as bytes, whichever form the body has', () => {
    const bytes = new TextEncoder().encode('{"name":"Ä"}');
    expect(signWebhook({ ...message, body: bytes, secrets: [vector.secret] })).toBe(
      signWebhook({ ...message, body: '{"name":"Ä"}', secrets: [vector.secret] }),
    );
  });

  test('with Ed25519 is checked by the public key alone', () => {
    const { secretKey, publicKey } = createWebhookKeyPair();
    const signature = signWebhook({ ...message, secrets: [secretKey] });
    const x = Buffer.from(publicKey.slice(5), 'base64').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const content = Buffer.from(`${message.id}.${now}.${message.body}`);
    expect(verify(null, content, key, Buffer.from(signature.slice(4), 'base64'))).toBe(true);
  });

  test.each(['', 'a.b', 'a b', 'a\n', 'ü', 'x'.repeat(129)])('refuses the id %j', (id) => {
    expect(() => signWebhook({ ...message, id, secrets: [vector.secret] })).toThrow(RangeError);
  });

  test.each([1.5, -1, Number.NaN, 1e21])('refuses the time %s', (timestampSeconds) => {
    expect(() => signWebhook({ ...message, timestampSeconds, secrets: [vector.secret] })).toThrow(RangeError);
  });

  test('refuses no secret, a public key and a secret of another form, which it does not repeat', () => {
    expect(() => signWebhook({ ...message, secrets: [] })).toThrow(RangeError);
    expect(() => signWebhook({ ...message, secrets: [createWebhookKeyPair().publicKey] })).toThrow(RangeError);
    expect(() => signWebhook({ ...message, secrets: ['whsec_hunter2'] })).toThrow(/^(?!.*hunter2).*$/);
  });
});

describe('verifying', () => {
  const secret = createWebhookSecret();
  const pair = createWebhookKeyPair();
  const verified = { outcome: 'verified', timestampSeconds: now };
  const refused = (reason: string) => ({ outcome: 'refused', reason });

  /** With the secrets as text. */
  const judge = (input: Omit<Parameters<typeof verifyWebhook>[0], 'secrets'> & { readonly secrets: readonly string[] }) =>
    verifyWebhook({ ...input, secrets: input.secrets.flatMap((text) => parseWebhookSecret(text) ?? []) });

  test('accepts what was signed, by secret, by public key, and during a rotation by either secret', () => {
    const old = createWebhookSecret();
    expect(judge({ ...received([secret]), secrets: [secret] })).toEqual(verified);
    expect(judge({ ...received([pair.secretKey]), secrets: [pair.publicKey] })).toEqual(verified);
    expect(judge({ ...received([pair.secretKey]), secrets: [pair.secretKey] })).toEqual(verified);
    expect(judge({ ...received([secret, old]), secrets: [old] })).toEqual(verified);
    expect(judge({ ...received([old]), secrets: [secret, old] })).toEqual(verified);
  });

  test('refuses another id, time, body or secret', () => {
    for (const signer of [secret, pair.secretKey]) {
      const good = { ...received([signer]), secrets: [signer] };
      expect(judge(good)).toEqual(verified);
      for (const other of [
        { id: 'dlv_2' },
        { timestamp: String(now + 1) },
        { body: `${message.body} ` },
        { secrets: [createWebhookSecret()] },
        { secrets: [createWebhookKeyPair().publicKey] },
        { secrets: [] },
      ])
        expect(judge({ ...good, ...other })).toEqual(refused('no_matching_signature'));
    }
  });

  test('accepts five minutes of difference either way and not a second more', () => {
    const good = { ...received([secret]), secrets: [secret] };
    for (const offset of [-300, 300]) expect(judge({ ...good, nowSeconds: now + offset })).toEqual(verified);
    expect(judge({ ...good, nowSeconds: now + 301 })).toEqual(refused('too_old'));
    expect(judge({ ...good, nowSeconds: now - 301 })).toEqual(refused('too_new'));
    expect(judge({ ...good, nowSeconds: Number.NaN })).toMatchObject({ outcome: 'refused' });
    expect(judge({ ...good, nowSeconds: now + 11, toleranceSeconds: 10 })).toEqual(refused('too_old'));
  });

  test('does not take one scheme for the other', () => {
    const mac = signWebhook({ ...message, secrets: [secret] });
    const signature = signWebhook({ ...message, secrets: [pair.secretKey] });
    for (const swapped of [mac.replace('v1,', 'v1a,'), signature.replace('v1a,', 'v1,')])
      expect(judge({ ...received([secret]), signature: swapped, secrets: [secret, pair.publicKey] })).toEqual(
        refused('no_matching_signature'),
      );
  });

  test('takes each signature in one spelling, as libraries do that compare its text', () => {
    for (const signer of [secret, pair.secretKey]) {
      const { signature, ...rest } = received([signer]);
      const [scheme, encoded = ''] = signature.split(',');
      const spelt = (text: string) => judge({ ...rest, signature: `${scheme},${text}`, secrets: [signer] });
      expect(spelt(encoded)).toEqual(verified);
      for (const other of [
        encoded.replace(/=+$/, ''),
        `${encoded}=`,
        `${encoded}\n`,
        `-${encoded}`,
        Buffer.from(encoded, 'base64').toString('hex'),
      ])
        expect(spelt(other)).toEqual(refused('no_matching_signature'));
    }
  });

  test('looks at the first sixteen signatures of a list', () => {
    const { signature, ...rest } = received([secret]);
    const at = (place: number) => judge({ ...rest, signature: `${'v1,AAAA '.repeat(place - 1)}${signature}`, secrets: [secret] });
    expect([at(16), at(17)]).toEqual([verified, refused('no_matching_signature')]);
  });

  test('does not let a body be read as part of the id or the time', () => {
    const signature = signWebhook({ id: 'a', timestampSeconds: now, body: `${now}.x`, secrets: [secret] });
    expect(judge({ id: `a.${now}`, timestamp: String(now), body: 'x', signature, secrets: [secret], nowSeconds: now })).toEqual(
      refused('malformed_id'),
    );
  });

  test('refuses whatever else stands in the headers, without throwing', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (id, timestamp, signature) => {
        const noise = { id, timestamp, signature, body: '', secrets: [secret, pair.publicKey], nowSeconds: now };
        expect(judge(noise).outcome).toBe('refused');
        expect(judge({ ...received([secret]), signature: `v1,${signature} v1a,${signature}`, secrets: noise.secrets }).outcome).toBe(
          'refused',
        );
      }),
    );
  });

  test('refuses other spellings of the time, even rightly signed', () => {
    const signedAt = (timestamp: string) => {
      const key = Buffer.from(secret.slice(6), 'base64');
      const mac = createHmac('sha256', key).update(`${message.id}.${timestamp}.${message.body}`).digest('base64');
      return judge({ ...received([secret]), timestamp, signature: `v1,${mac}`, secrets: [secret] });
    };
    expect(signedAt(String(now))).toEqual(verified);
    for (const timestamp of [`0${now}`, `+${now}`, `${now}.0`, ` ${now}`, `${now}\n`, '1.79525e9'])
      expect(signedAt(timestamp)).toEqual(refused('malformed_timestamp'));
  });

  test('takes the Ed25519 key of a JWK, and no other', async () => {
    const key = importSigningKey(await generateSigningKey('EdDSA'));
    const jwk = key.publicJwk;
    const read = readWebhookKey(jwk);
    const signature = signWebhook({ ...message, secrets: [secret], keys: [key] });
    expect(verifyWebhook({ ...received([secret]), signature, secrets: read === null ? [] : [read] })).toEqual(verified);
    expect(readWebhookKey({ ...jwk, alg: 'Ed25519' })).not.toBeNull();
    const { publicJwk: ofCurve } = importSigningKey(await generateSigningKey('ES256'));
    for (const other of [{ ...jwk, use: 'enc' }, { ...jwk, alg: 'ES256' }, { ...jwk, crv: 'X25519' }, { ...jwk, x: `${jwk.x}A` }, ofCurve])
      expect(readWebhookKey(other)).toBeNull();
  });
});

describe('secrets', () => {
  test('are made in a form that is read again', () => {
    expect(createWebhookSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(parseWebhookSecret(createWebhookSecret())).toMatchObject({ scheme: 'v1' });
    const { secretKey, publicKey } = createWebhookKeyPair();
    expect(parseWebhookSecret(secretKey)).toMatchObject({ scheme: 'v1a', half: 'private' });
    expect(parseWebhookSecret(publicKey)).toMatchObject({ scheme: 'v1a', half: 'public' });
    expect(
      Buffer.from(secretKey.slice(5), 'base64')
        .subarray(32)
        .equals(Buffer.from(publicKey.slice(5), 'base64')),
    ).toBe(true);
  });

  test('have 24 to 64 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 90 }), (bytes) => {
        const readable = parseWebhookSecret(`whsec_${Buffer.from(bytes).toString('base64')}`) !== null;
        expect(readable).toBe(bytes.byteLength >= 24 && bytes.byteLength <= 64);
      }),
      { numRuns: 300, examples: [[new Uint8Array(23)], [new Uint8Array(24)], [new Uint8Array(64)], [new Uint8Array(65)]] },
    );
  });

  test('have one spelling', () => {
    const good = `whsec_${Buffer.alloc(32).toString('base64')}`;
    expect(parseWebhookSecret(good)).not.toBeNull();
    for (const other of [
      good.slice(6),
      good.slice(0, -1),
      `${good}=`,
      ` ${good}`,
      `${good}\n`,
      good.replace('whsec', 'WHSEC'),
      good.replace('A=', 'B='),
      good.replace('_', '_-'),
    ]) {
      expect(parseWebhookSecret(other)).toBeNull();
    }
  });

  test('of Ed25519 have halves that belong together', () => {
    const one = Buffer.from(createWebhookKeyPair().secretKey.slice(5), 'base64');
    const other = Buffer.from(createWebhookKeyPair().secretKey.slice(5), 'base64');
    const mixed = Buffer.concat([one.subarray(0, 32), other.subarray(32)]);
    expect(parseWebhookSecret(`whsk_${mixed.toString('base64')}`)).toBeNull();
    expect(parseWebhookSecret(`whsk_${one.subarray(0, 32).toString('base64')}`)).toBeNull();
    expect(parseWebhookSecret(`whpk_${one.toString('base64')}`)).toBeNull();
  });
});
