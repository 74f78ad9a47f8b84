import { describe, expect, test } from 'vitest';
import { mailDelays, nextMailIn } from '../src/mail/mail-schedule.ts';
import { troubleOf } from '../src/mail/mail-trouble.ts';

const to = 'ada@mail.example';

describe('the schedule', () => {
  test('tries eight times over almost two days, spread by a tenth', () => {
    const minute = 60_000;
    const at = (random: number) => mailDelays.map((_, index) => nextMailIn({ attempt: index + 1, random }));
    expect(at(0.5)).toEqual([1, 5, 30, 120, 360, 720, 1_440].map((minutes) => minutes * minute));
    expect(at(0)[0]).toBe(0.9 * minute);
    expect(at(1)[0]).toBe(1.1 * minute);
    expect(nextMailIn({ attempt: 8, random: 0.5 })).toBeNull();
  });
});

describe('what an error means', () => {
  test.each([
    [{ code: 'EENVELOPE', command: 'RCPT TO', responseCode: 550 }, true],
    [{ code: 'EENVELOPE', command: 'RCPT TO', responseCode: 450 }, false],
    [{ code: 'EENVELOPE', command: 'RCPT TO', responseCode: 530 }, false],
    [{ code: 'EENVELOPE', command: 'RCPT TO', responseCode: 503 }, false],
    [{ code: 'EENVELOPE', command: 'MAIL FROM', responseCode: 553 }, false],
    [{ code: 'EENVELOPE', command: 'API' }, true],
    [{ code: 'EMESSAGE', command: 'DATA', responseCode: 554 }, true],
    [{ code: 'EMESSAGE', command: 'DATA', responseCode: 452 }, false],
    [{ code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 535 }, false],
    [{ code: 'ETIMEDOUT', command: 'CONN' }, false],
    [{ code: 'Another <ada@mail.example>' }, false],
  ])('is decided by its codes, and none of its text is passed on: %j', (codes, final) => {
    const error = Object.assign(new Error(`550 <${to}> unknown`), { response: `550 ${to}`, rejected: [to], ...codes });
    const trouble = troubleOf(error);
    expect(trouble.final).toBe(final);
    expect(trouble.words).not.toMatch(/example|550/);
  });

  test.each([undefined, null, 'ada@mail.example', { code: { toString: () => to } }])('is a failure of the client for %j', (error) => {
    expect(troubleOf(error)).toEqual({ words: 'the mail client failed', final: false });
  });
});
