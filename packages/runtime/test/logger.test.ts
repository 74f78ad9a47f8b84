import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLogger, redactText, redactUrl } from '../src/index.ts';

const canary = 'c4n4ry-c4n4ry-c4n4ry';

const logged = (act: (log: ReturnType<typeof createLogger>) => void): string => {
  const lines: string[] = [];
  act(createLogger({ service: 'api', level: 'trace', destination: { write: (line) => void lines.push(line) } }));
  return lines.join('');
};

describe('redacting a URL', () => {
  test.each([
    ['/arlo/oauth/authorize?client_id=c&state=s&code_challenge=x', '/arlo/oauth/authorize?client_id=c&state=s&code_challenge=x'],
    [`https://a/cb?code=${canary}&state=s`, 'https://a/cb?code=[redacted]&state=s'],
    [`/x?token=${canary}`, '/x?token=[redacted]'],
    [`/x?a=1&access_token=${canary}&id_token_hint=${canary}`, '/x?a=1&access_token=[redacted]&id_token_hint=[redacted]'],
    [`/x?%63ode=${canary}`, '/x?%63ode=[redacted]'],
    [`/x?Client-Secret=${canary}&request=${canary}`, '/x?Client-Secret=[redacted]&request=[redacted]'],
    [`/x?logout_hint=${canary}&login_hint=${canary}`, '/x?logout_hint=[redacted]&login_hint=[redacted]'],
    [`/x?email=${canary}&ip=${canary}&zip=1`, '/x?email=[redacted]&ip=[redacted]&zip=1'],
    [`/x#access_token=${canary}&state=1`, '/x#access_token=[redacted]&state=1'],
    [`postgres://user:${canary}@db/x?sslmode=require`, 'postgres://[redacted]@db/x?sslmode=require'],
    ['/x?code', '/x?code'],
    ['/x?%zz=1', '/x?%zz=1'],
    ['', ''],
  ])('%s becomes %s', (url, expected) => {
    expect(redactUrl(url)).toBe(expected);
  });

  test('removes the value of a secret parameter wherever it stands', () => {
    const name = fc.constantFrom(
      'code',
      'token',
      'access_token',
      'refresh_token',
      'client_secret',
      'code_verifier',
      'password',
      'request',
      'id_token_hint',
      'sessionId',
    );
    const others = fc.array(fc.tuple(fc.constantFrom('a', 'state', 'scope'), fc.webQueryParameters()));
    fc.assert(
      fc.property(others, name, others, (before, secret, after) => {
        const join = (pairs: readonly (readonly [string, string])[]): string[] =>
          pairs.map(([key, value]) => `${key}=${value.replaceAll('&', '')}`);
        expect(redactUrl(`/p?${[...join(before), `${secret}=${canary}`, ...join(after)].join('&')}`)).not.toContain(canary);
      }),
    );
  });
});

describe('a log line', () => {
  test.each([
    'authorization',
    'cookie',
    'set-cookie',
    'Set-Cookie',
    'access_token',
    'accessToken',
    'refresh_token',
    'id_token',
    'id_token_hint',
    'token',
    'tokens',
    'code',
    'client_secret',
    'clientSecret',
    'secret',
    'password',
    'code_verifier',
    'webhookToken',
    'request',
    'client_assertion',
    'sessionId',
    'registration_access_token',
    'email',
  ])('never shows %s, however deep', (name) => {
    const out = logged((log) => {
      log.info({ [name]: canary }, 'flat');
      log.info({ a: [{ b: { [name]: { nested: canary } } }] }, 'deep');
      log.child({ headers: { [name]: canary } }).info('bound');
      log
        .child({ a: 1 })
        .child({ [name]: canary }, { level: 'info' })
        .info('bound twice');
      const late = log.child({});
      late.setBindings({ [name]: canary });
      late.info('bound later');
    });
    expect(out).not.toContain(canary);
    expect(out.split('\n').filter((line) => line !== '')).toHaveLength(5);
    expect(out).toContain('[redacted]');
  });

  test('never shows credentials inside texts and messages', () => {
    const out = logged((log) => {
      log.info(`GET /x?token=${canary}`);
      log.info(
        { url: new URL(`https://a/x?code=${canary}`), referer: `https://b/?access_token=${canary}`, header: `Bearer ${canary}` },
        'x',
      );
      log.error(new Error(`fetch https://a/x?token=${canary} failed`));
      log.error({ err: new Error(`with Basic ${canary}`) });
      log.info('sent %s to %s', `/x?code=${canary}`, `https://u:${canary}@host/`);
      log.info('with %j', { token: canary });
    });
    expect(out).not.toContain(canary);
    expect(out).toContain('failed');
  });

  test('shows of an error its kind, code and causes, but no body and no row', () => {
    const cause = Object.assign(new Error('connection lost'), { code: 'ECONNRESET', body: canary });
    const err = Object.assign(new Error('query failed', { cause }), {
      detail: canary,
      parameters: [canary],
      response: { body: canary },
      reason: 'why',
    });
    const line = JSON.parse(logged((log) => log.error({ err }, 'no luck')));
    expect(line).toMatchObject({
      level: 'error',
      service: 'api',
      msg: 'no luck',
      err: { type: 'Error', message: 'query failed', reason: 'why', cause: { message: 'connection lost', code: 'ECONNRESET' } },
    });
    expect(JSON.stringify(line)).not.toContain(canary);
  });

  test('keeps what is no secret', () => {
    const line = JSON.parse(
      logged((log) =>
        log.info({ code: 0, hasToken: true, secret: null, platform: 'arlo', at: new Date(0), big: 1n, bytes: new Uint8Array(3) }, 'ok'),
      ),
    );
    expect(line).toMatchObject({
      code: 0,
      hasToken: true,
      secret: null,
      platform: 'arlo',
      at: '1970-01-01T00:00:00.000Z',
      big: '1',
      bytes: '[3 bytes]',
    });
  });

  test('shows requests and replies by their first line, and of other instances only the kind', () => {
    const request = new (class Request {
      readonly headers = { authorization: canary };
      readonly body = { note: canary };
      get method() {
        return 'POST';
      }
      get url() {
        return `/x?token=${canary}`;
      }
    })();
    const reply = new (class Reply {
      readonly statusCode = 200;
      readonly payload = canary;
    })();
    const held = new (class Vault {
      readonly held = canary;
    })();
    const line = JSON.parse(logged((log) => log.info({ req: request, res: reply, held, map: new Map([['a', canary]]) }, 'done')));
    expect(line).toMatchObject({
      req: { method: 'POST', url: '/x?token=[redacted]' },
      res: { statusCode: 200 },
      held: '[Vault]',
      map: '[Map]',
    });
    expect(JSON.stringify(line)).not.toContain(canary);
  });

  test('shows no more than 4,096 characters of any text', () => {
    const word = 'a'.repeat(10_000);
    const cause = new Error(word);
    const line = JSON.parse(
      logged((log) => log.info({ word, url: new URL(`https://a/${word}`), deep: [{ word }], err: new Error(word, { cause }) }, word)),
    );
    for (const text of [line.msg, line.word, line.url, line.deep[0].word, line.err.message, line.err.stack, line.err.cause.message]) {
      expect(text).toHaveLength(4_097);
      expect(text.endsWith('…')).toBe(true);
    }
  });

  test('shows no part of a credential that is cut', () => {
    for (const credential of [`Bearer ${canary}`, `postgres://user:${canary}@db/x`, `https://a/cb?code=${canary}`]) {
      for (let length = 4_000; length < 4_100; length += 1)
        expect(redactText(`${'a'.repeat(length)} ${credential} and more`)).not.toContain('c4n4');
    }
  });

  test('survives circles', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(logged((log) => log.info({ circle }, 'round'))).toContain('[too deep]');
  });

  test('stays one line whatever the text (LG-02)', () => {
    expect(
      logged((log) => log.info({ name: 'a\r\nb\u001b[31m' }, 'x\ny'))
        .trim()
        .split('\n'),
    ).toHaveLength(1);
  });
});

test('redacting text leaves ordinary sentences alone', () => {
  const sentence = 'The bearer of this/that code has 1/2 token left at /srv/app/main.ts:10:3';
  expect(redactText(sentence)).toBe(sentence);
});

test.each([
  ['letters', 'a'],
  ['dots and letters', 'a.'],
  ['slashes', '/'],
  ['schemes', 'a://'],
  ['white space', 'bearer\t\t'],
])('redacting a run of %s takes time in proportion to its length', (_, piece) => {
  const milliseconds = (length: number): number => {
    const text = piece.repeat(length / piece.length);
    const runs = Array.from({ length: 15 }, () => {
      const { user } = process.cpuUsage();
      for (let round = 0; round < 20; round += 1) redactText(text);
      return process.cpuUsage().user - user;
    });
    return Math.max(Math.min(...runs), 1);
  };
  milliseconds(4_000);
  // Sixteen times the length: a quadratic reading would take 256 times as long.
  expect(milliseconds(4_000) / Math.max(milliseconds(250), 20)).toBeLessThan(80);
});

test('redacting text finds a URL behind a scheme of any length', () => {
  for (const scheme of ['https', '1https', 'x'.repeat(30), 'x'.repeat(31), 'x'.repeat(60), '+.-https'])
    expect(redactText(`see ${scheme}://user:${canary}@host/x?code=${canary}`)).toBe(`see ${scheme}://[redacted]@host/x?code=[redacted]`);
});
