import { createWebhookKeyPair, createWebhookSecret, signWebhook } from '@grantlog/crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createWebhookReceiver } from '../../src/index.ts';
import { nowSeconds, told } from './attempts.ts';

beforeAll(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterAll(() => void vi.useRealTimers());

const secret = createWebhookSecret();
const other = createWebhookSecret();
const { secretKey } = createWebhookKeyPair();
const library = new Webhook(secret);
const receiver = createWebhookReceiver({ secrets: secret, now: () => Date.now() });

type Shown = { readonly id: string; readonly timestamp: string; readonly signature: string; readonly body: string };

const headersOf = ({ id, timestamp, signature }: Shown) => ({
  'webhook-id': id,
  'webhook-timestamp': timestamp,
  'webhook-signature': signature,
});

const libraryTakes = (shown: Shown): boolean => {
  try {
    library.verify(shown.body, headersOf(shown), { jsonParse: false });
    return true;
  } catch {
    return false;
  }
};

/** What the body says is judged last, and the library does not judge it. */
const weTake = async (shown: Shown): Promise<boolean> => {
  const outcome = await receiver.verify({ headers: headersOf(shown), body: shown.body });
  return outcome.kind === 'verified' || outcome.reason === 'unexpected_body';
};

/**
 * What the library takes, but for what we refuse on purpose: an id with a full stop in it or longer than 128 characters, a time of
 * another spelling than its number's, a signature behind sixteen others, and lists that somebody has joined.
 */
const shouldTake = (shown: Shown): boolean =>
  libraryTakes({ ...shown, signature: shown.signature.split(' ').slice(0, 16).join(' ') }) &&
  /^[\w-]{1,128}$/.test(shown.id) &&
  String(Number(shown.timestamp)) === shown.timestamp &&
  shown.signature.split(' ').every((each) => each.split(',').length <= 2);

const ids = fc.oneof(
  { weight: 4, arbitrary: fc.uuid() },
  fc.stringMatching(/^[A-Za-z0-9_-]{1,130}$/),
  fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/),
  fc.string({ unit: 'binary' }),
);
const bodies = fc.oneof(fc.constant(JSON.stringify(told)), fc.json(), fc.string({ unit: 'binary' }));
const offsets = fc.oneof({ weight: 3, arbitrary: fc.integer({ min: -299, max: 299 }) }, fc.integer({ min: -303, max: 303 }));

type Signer = 'library' | 'worker' | 'another secret' | 'ed25519' | 'noise';
const signers = fc.array(fc.constantFrom<Signer>('library', 'worker', 'another secret', 'ed25519', 'noise'), {
  minLength: 1,
  maxLength: 20,
});

const signatureOf = (
  signer: Signer,
  { id, seconds, body }: { readonly id: string; readonly seconds: number; readonly body: string },
): string => {
  // The signer of the worker refuses ids that it would never make.
  const ours = (key: string): string =>
    /^[\w-]{1,128}$/.test(id) ? signWebhook({ id, timestampSeconds: seconds, body, secrets: [key] }) : 'v1,AAAA';
  switch (signer) {
    case 'library':
      return library.sign(id, new Date(seconds * 1000), body);
    case 'worker':
      return ours(secret);
    case 'another secret':
      return ours(other);
    case 'ed25519':
      return ours(secretKey);
    case 'noise':
      return 'v2,a';
  }
};

const characters = fc.constantFrom('', ' ', ',', '=', '.', '0', 'A', '-', '\n', 'ü');
/** One character of one part replaced by another, or by none, or with one put before it. */
const changes = fc.option(
  fc.record({
    part: fc.constantFrom<keyof Shown>('id', 'timestamp', 'signature', 'body'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.integer({ min: 0, max: 1 }),
    put: characters,
  }),
);
type Change = typeof changes extends fc.Arbitrary<infer Value> ? Value : never;

const apply = (shown: Shown, change: Change): Shown => {
  if (change === null) return shown;
  const text = shown[change.part];
  const at = Math.floor(change.at * text.length);
  return { ...shown, [change.part]: text.slice(0, at) + change.put + text.slice(at + change.removed) };
};

test('takes exactly what standardwebhooks takes, but for what it refuses on purpose', async () => {
  const counts = { taken: 0, refused: 0, stricter: 0 };
  const property = fc.asyncProperty(
    fc.record({ id: ids, body: bodies, offset: offsets, ms: fc.integer({ min: 0, max: 999 }), by: signers, change: changes }),
    async ({ id, body, offset, ms, by, change }) => {
      vi.setSystemTime(nowSeconds * 1000 + ms);
      const seconds = nowSeconds + offset;
      const signature = by.map((signer) => signatureOf(signer, { id, seconds, body })).join(' ');
      const shown = apply({ id, timestamp: String(seconds), signature, body }, change);
      const expected = shouldTake(shown);
      expect(await weTake(shown)).toBe(expected);
      counts[expected ? 'taken' : libraryTakes(shown) ? 'stricter' : 'refused'] += 1;
    },
  );
  await fc.assert(property, { numRuns: 3_000 });
  // Else the property would say little.
  expect(Math.min(...Object.values(counts)), JSON.stringify(counts)).toBeGreaterThan(100);
});
