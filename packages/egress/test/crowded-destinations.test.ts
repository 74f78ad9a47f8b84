import { expect, test } from 'vitest';
import { checkDestination, type ResolvedAddress, type Resolver } from '../src/index.ts';

const whyNot = async (url: string, resolve: Resolver): Promise<string | null> => {
  const checked = await checkDestination(url, { allowLoopback: false, resolve });
  return checked.kind === 'refused' ? checked.why : null;
};
const internal: readonly ResolvedAddress[] = [{ address: '10.0.0.7', family: 4 }];

test('asks for no more than two names at once, and leaves one that gets no turn to be judged when it is sent to', {
  timeout: 10_000,
}, async () => {
  const { promise, resolve: answer } = Promise.withResolvers<readonly ResolvedAddress[]>();
  let asked = 0;
  const slow: Resolver = () => {
    asked += 1;
    return promise;
  };
  const waiting = [1, 2].map((nth) => whyNot(`https://slow-${nth}.example/hook`, slow));
  expect(await whyNot('https://slow-3.example/hook', slow)).toBe(null);
  expect(await whyNot('https://10.0.0.1/hook', slow)).toBe('address_not_allowed');
  expect(asked).toBe(2);
  answer(internal);
  expect(await Promise.all(waiting)).toEqual(['unreachable', 'unreachable']);
  // Each turn came back, also that of the name for which nobody waited any more.
  expect(await Promise.all([4, 5, 6].map((nth) => whyNot(`https://fast-${nth}.example/hook`, async () => internal)))).toEqual(
    Array.from({ length: 3 }, () => 'unreachable'),
  );
});
