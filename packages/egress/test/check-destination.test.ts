import { expect, test } from 'vitest';
import { checkDestination, type ResolvedAddress, type Resolver } from '../src/index.ts';

const answering =
  (...addresses: readonly string[]): Resolver =>
  async () =>
    addresses.map((address): ResolvedAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
const whyNot = async (url: string, resolve: Resolver, allowLoopback = false): Promise<string | null> => {
  const checked = await checkDestination(url, { allowLoopback, resolve });
  return checked.kind === 'refused' ? checked.why : null;
};
const somewhere = answering('93.184.216.34', '2606:2800:220:1::1');

test('takes a name whose every address is public', async () => {
  expect(await whyNot('https://agent.example/hook', somewhere)).toBe(null);
});

test.each(['10.0.0.7', '127.0.0.1', '169.254.169.254', '::1', 'fd00::1', '::ffff:10.0.0.1', '100.64.0.1'])(
  'refuses a name of which one address is %s, whatever the others are',
  async (address) => {
    expect(await whyNot('https://agent.example/hook', answering('93.184.216.34', address))).toBe('unreachable');
  },
);

test('tells an internal name from one that nobody has in no way', async () => {
  const told = await Promise.all(
    [answering('10.1.2.3'), answering(), () => Promise.reject(new Error('ENOTFOUND'))].map((resolve) =>
      checkDestination('https://db.internal/hook', { allowLoopback: false, resolve }),
    ),
  );
  expect(new Set(told.map((each) => JSON.stringify(each)))).toEqual(new Set([JSON.stringify({ kind: 'refused', why: 'unreachable' })]));
});

test('gives up on a resolver that does not answer', { timeout: 8_000 }, async () => {
  expect(await whyNot('https://agent.example/hook', () => new Promise(() => {}))).toBe('unreachable');
});

test.each([
  ['nonsense', 'malformed_url'],
  ['http://agent.example/hook', 'scheme_not_allowed'],
  ['https://a:b@agent.example/hook', 'credentials_in_url'],
  ['https://agent.example:22/hook', 'port_not_allowed'],
  ['https://10.0.0.1/hook', 'address_not_allowed'],
  ['https://localhost/hook', 'address_not_allowed'],
])('judges %s by what is written, and asks nobody', async (url, why) => {
  const never: Resolver = () => {
    throw new Error('asked');
  };
  expect(await whyNot(url, never)).toBe(why);
});

test('lets loopback through in development alone', async () => {
  expect(await whyNot('http://localhost:9000/hook', answering('127.0.0.1', '::1'), true)).toBe(null);
  expect(await whyNot('http://127.0.0.1:9000/hook', answering(), true)).toBe(null);
  expect(await whyNot('https://agent.example/hook', answering('10.0.0.1'), true)).toBe('unreachable');
});
