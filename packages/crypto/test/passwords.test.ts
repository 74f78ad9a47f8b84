import { describe, expect, test } from 'vitest';
import {
  createPasswords,
  hashPassword,
  needsRehash,
  PasswordsBusy,
  UnacceptablePassword,
  UnsupportedPasswordHash,
  verifyAgainstNothing,
  verifyPassword,
} from '../src/index.ts';
import { formatPhc, parsePhc } from '../src/phc.ts';

// The vector of the argon2 reference implementation: "password", "somesalt", two passes over 64 MiB.
const reference = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
const cheap = '$argon2id$v=19$m=16,t=1,p=1$c29tc2FsdHNvbWVzYWx0$AAAAAAAAAAAAAAAAAAAAAA';

describe('a password', () => {
  test('is verified by its own hash, and another is not', async () => {
    const phc = await hashPassword('correct horse');
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await verifyPassword(phc, 'correct horse')).toBe(true);
    expect(await verifyPassword(phc, 'correct horsf')).toBe(false);
    expect(await verifyPassword(phc, '')).toBe(false);
  });

  test('is hashed with a salt of its own', async () => {
    expect(await hashPassword('same')).not.toBe(await hashPassword('same'));
  });

  test('is verified by the hash of the reference implementation, with its parameters', async () => {
    expect(await verifyPassword(reference, 'password')).toBe(true);
    expect(await verifyPassword(reference, 'Password')).toBe(false);
    expect(needsRehash(reference)).toBe(true);
  });

  test('is the same however the keyboard composes its accents', async () => {
    const composed = 'caf\u00e9';
    const decomposed = 'cafe\u0301';
    expect(await verifyPassword(await hashPassword(composed), decomposed)).toBe(true);
  });

  test('is not folded further than NFC', async () => {
    expect(await verifyPassword(await hashPassword('\u2460'), '1')).toBe(false);
  });

  test('of 1,024 bytes is hashed and one byte more is refused', async () => {
    const phc = await hashPassword('x'.repeat(1024));
    expect(await verifyPassword(phc, 'x'.repeat(1024))).toBe(true);
    expect(await verifyPassword(phc, 'x'.repeat(1025))).toBe(false);
    await expect(hashPassword('x'.repeat(1025))).rejects.toThrow(UnacceptablePassword);
    await expect(hashPassword('é'.repeat(513))).rejects.toThrow(UnacceptablePassword);
    // 1,536 characters as typed, 1,024 bytes once composed.
    await expect(hashPassword('\u03b9\u0308\u0301'.repeat(512))).resolves.toMatch(/^\$argon2id/);
    await expect(hashPassword('x'.repeat(5_000_000))).rejects.toThrow(UnacceptablePassword);
  });

  test('with a lone surrogate is refused, for it would equal others', async () => {
    await expect(hashPassword('a\ud800')).rejects.toThrow(UnacceptablePassword);
    expect(await verifyPassword(await hashPassword(''), 'a\ud800')).toBe(false);
    expect(await verifyPassword(await hashPassword('a\ufffd'), 'a\ud800')).toBe(false);
  });
});

describe('a stored hash', () => {
  test('of today wants no rehash, one of other parameters does', async () => {
    const phc = await hashPassword('x');
    expect(needsRehash(phc)).toBe(false);
    for (const change of [{ memory: 19_457 }, { passes: 3 }, { parallelism: 2 }, { salt: Buffer.alloc(8) }, { hash: Buffer.alloc(16) }]) {
      expect(needsRehash(formatPhc({ ...parsePhc(phc), ...change }))).toBe(true);
    }
  });

  test('goes to its parts and back', () => {
    expect(formatPhc(parsePhc(reference))).toBe(reference);
    expect(formatPhc(parsePhc(cheap))).toBe(cheap);
  });

  test.each([
    ['nothing', ''],
    ['bcrypt', '$2b$12$LJ3m4ys3Lk0TSwHCpNkzXe5vF8vY4vEeGq0Yf8b0n5m3y6Q1o2p3W'],
    ['argon2i', reference.replace('argon2id', 'argon2i')],
    ['version 16', reference.replace('v=19', 'v=16')],
    ['too much memory', reference.replace('m=65536', 'm=262145')],
    ['memory beyond all numbers', reference.replace('m=65536', 'm=99999999999999999999')],
    ['too little memory for its lanes', reference.replace('m=65536', 'm=7')],
    ['too many passes', reference.replace('t=2', 't=13')],
    ['no pass', reference.replace('t=2', 't=0')],
    ['too many lanes', reference.replace('p=1', 'p=17')],
    ['a short salt', reference.replace('c29tZXNhbHQ', 'c29tZXNhbA')],
    ['a long salt', reference.replace('c29tZXNhbHQ', 'A'.repeat(88))],
    ['a short hash', reference.replace(/[^$]*$/, 'AAAAAAAA')],
    ['no hash', reference.replace(/[^$]*$/, '')],
    ['padding', `${reference}=`],
    ['unused bits set', reference.replace('c29tZXNhbHQ', 'c29tZXNhbHR')],
    ['a line feed at its end', `${reference}\n`],
  ])('with %s is a defect, not a wrong password', async (_, phc) => {
    await expect(verifyPassword(phc, 'password')).rejects.toThrow(UnsupportedPasswordHash);
    expect(() => needsRehash(phc)).toThrow(UnsupportedPasswordHash);
  });
});

describe('an unknown account', () => {
  test('is never signed in, whatever the password', async () => {
    expect(await verifyAgainstNothing('x')).toBe(false);
    expect(await verifyAgainstNothing('x'.repeat(2000))).toBe(false);
  });

  test('costs about what a known one costs, also with a password that cannot be hashed', async () => {
    const phc = await hashPassword('x');
    const median = async (work: () => Promise<unknown>): Promise<number> => {
      const times: number[] = [];
      for (let run = 0; run < 5; run += 1) {
        const start = performance.now();
        await work();
        times.push(performance.now() - start);
      }
      return times.toSorted((a, b) => a - b)[2] ?? 0;
    };
    const known = await median(() => verifyPassword(phc, 'y'));
    for (const password of ['y', 'y'.repeat(2_000), 'a\ud800']) {
      // The machine may be busy: what this guards against is an answer without any work, a factor of hundreds.
      for (const work of [() => verifyAgainstNothing(password), () => verifyPassword(phc, password)]) {
        const ratio = (await median(work)) / known;
        expect(ratio).toBeGreaterThan(0.2);
        expect(ratio).toBeLessThan(5);
      }
    }
  });
});

describe('the queue', () => {
  test('refuses at once what exceeds its places, and serves the rest', async () => {
    const passwords = createPasswords({ concurrency: 1, queueLimit: 2 });
    const attempts = Array.from({ length: 6 }, () => passwords.verify(cheap, 'x'));
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected', 'rejected']);
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(PasswordsBusy);
    expect(await passwords.verify(cheap, 'x')).toBe(false);
  });

  test('lets as many run as it was told and not one more', async () => {
    const passwords = createPasswords({ concurrency: 2, queueLimit: 0 });
    const running = [passwords.verify(cheap, 'x'), passwords.verify(cheap, 'x')];
    await expect(passwords.verify(cheap, 'x')).rejects.toThrow(PasswordsBusy);
    expect(await Promise.all(running)).toEqual([false, false]);
  });

  test('serves those who wait in the order they came', async () => {
    const passwords = createPasswords({ concurrency: 1 });
    const order: number[] = [];
    await Promise.all(Array.from({ length: 20 }, (_, index) => passwords.verify(cheap, 'x').then(() => order.push(index))));
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  test('keeps its bound after a queue has drained', async () => {
    const passwords = createPasswords({ concurrency: 1, queueLimit: 1 });
    for (let round = 0; round < 3; round += 1) {
      const outcomes = await Promise.allSettled(Array.from({ length: 3 }, () => passwords.verify(cheap, 'x')));
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    }
  });

  test('gives a place back when the work fails', async () => {
    const passwords = createPasswords({ concurrency: 1, queueLimit: 0 });
    for (let attempt = 0; attempt < 3; attempt += 1) await expect(passwords.verify('broken', 'x')).rejects.toThrow(UnsupportedPasswordHash);
    expect(await passwords.verify(cheap, 'x')).toBe(false);
  });

  test('bounds hashing and unknown accounts with the same places', async () => {
    const passwords = createPasswords({ concurrency: 1, queueLimit: 0 });
    const running = passwords.hash('x');
    await expect(passwords.verifyAgainstNothing('x')).rejects.toThrow(PasswordsBusy);
    await expect(passwords.hash('x')).rejects.toThrow(PasswordsBusy);
    expect(passwords.needsRehash(await running)).toBe(false);
    expect(await passwords.verifyAgainstNothing('x')).toBe(false);
  });

  test.each([0, -1, 1.5, Number.NaN])('cannot run %s at a time', (concurrency) => {
    expect(() => createPasswords({ concurrency })).toThrow(RangeError);
  });
});
