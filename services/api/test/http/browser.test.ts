import { createSealer } from '@grantlog/crypto';
import type { PlatformId } from '@grantlog/eventsourcing';
import type { FastifyRequest } from 'fastify';
import { describe, expect, test } from 'vitest';
import { csrfToken, ForgedForm, requireOwnForm } from '../../src/http/browser.ts';

const arlo = 'arlo' as PlatformId;
const browserId = 'AAAAAAAAAAAAAAAAAAAAAA';
const config = { publicUrl: 'http://localhost:4000' } as never;
const [older, newer] = ['an older secret, which is long enough', 'a newer secret, which is long enough'];
const origin = 'http://localhost:4000';
const request = (of = browserId) => ({ headers: { origin }, cookies: { 'grantlog-arlo-browser': of } }) as unknown as FastifyRequest;

const sent = (secrets: readonly string[], csrf: string | undefined, from = request()): string =>
  requireOwnForm({ config, sealer: createSealer(secrets) }, from, { platform: arlo, origin, csrf });

describe('a form', () => {
  const made = csrfToken({ sealer: createSealer([older]) }, arlo, browserId);

  test('is taken from the browser it was made for, also after the secret was rotated', () => {
    expect(sent([older], made)).toBe(browserId);
    expect(sent([newer, older], made)).toBe(browserId);
  });

  test('is refused once its secret is gone', () => {
    expect(() => sent([newer], made)).toThrow(ForgedForm);
  });

  test.each([
    ['no token', undefined],
    ['an empty token', ''],
    ['a cut token', made.slice(0, -2)],
    ['a longer token', `${made}AAAA`],
    ['the token of another browser', csrfToken({ sealer: createSealer([older]) }, arlo, 'BAAAAAAAAAAAAAAAAAAAAA')],
    ['the token of another platform', csrfToken({ sealer: createSealer([older]) }, 'along' as PlatformId, browserId)],
    ['no base64', '%%%'],
  ])('is refused with %s', (_, csrf) => {
    expect(() => sent([newer, older], csrf)).toThrow(ForgedForm);
  });
});
