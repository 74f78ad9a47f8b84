import type { ConnectionStepName, KeptConnectionStep } from '@grantlog/postgres';
import { describe, expect, test } from 'vitest';
import { assembleAttempts } from '../../src/traces/attempt.ts';
import { judgeAttempt } from '../../src/traces/verdict.ts';

const start = 1_800_000_000_000;
const minute = 60_000;

/** Steps one after the other, a second apart, with ids of their own. */
const history = () => {
  const steps: KeptConnectionStep[] = [];
  const add = (step: ConnectionStepName, change: Partial<KeptConnectionStep> = {}): KeptConnectionStep => {
    const id = steps.length + 1;
    const added = {
      id,
      step,
      at: start + id * 1_000,
      refusal: null,
      attempt: null,
      request: `r${id}`,
      client: null,
      grant: null,
      visitor: 'agent',
      program: null,
      ...change,
    };
    steps.push(added);
    return added;
  };
  return { steps, add };
};
const refusal = (error: string, detail = `words of ${error}`) => ({ error, detail });

const only = (steps: readonly KeptConnectionStep[]) => {
  const beginnings = steps.filter(
    ({ step, refusal: refused, grant }) =>
      step === 'authorize' || step === 'registration' || (step === 'token' && refused !== null && grant === null),
  );
  return assembleAttempts(beginnings, steps);
};

describe('an attempt', () => {
  test('is everything from the look at the metadata to the first use, joined by place, client, request and grant', () => {
    const { steps, add } = history();
    add('discovery');
    add('registration', { client: 'c1' });
    add('authorize', { client: 'c1', attempt: 'a1', visitor: 'person' });
    add('consent', { client: 'c1', attempt: 'a1', grant: 'g1', visitor: 'person' });
    add('token', { client: 'c1', grant: 'g1' });
    add('first_use', { client: 'c1', grant: 'g1', visitor: 'nowhere' });
    const attempts = only(steps);
    expect(attempts).toHaveLength(1);
    expect(attempts[0]).toMatchObject({ client: 'c1', grant: 'g1', beginning: { attempt: 'a1' } });
    expect(attempts[0]?.steps.map(({ step }) => step)).toEqual(['discovery', 'registration', 'authorize', 'consent', 'token', 'first_use']);
    expect(judgeAttempt(attempts[0] as never, start + minute)).toEqual({ status: 'connected' });
  });

  test('of one client takes nothing of another attempt of the same client', () => {
    const { steps, add } = history();
    for (const attempt of ['a1', 'a2']) {
      add('authorize', { client: 'shared', attempt, visitor: 'person' });
      add('consent', { client: 'shared', attempt, grant: `grant of ${attempt}`, visitor: 'person' });
    }
    add('token', { client: 'shared', grant: 'grant of a2' });
    expect(only(steps).map(({ beginning, grant, steps: own }) => [beginning.attempt, grant, own.length])).toEqual([
      ['a2', 'grant of a2', 3],
      ['a1', 'grant of a1', 2],
    ]);
  });

  test('that ended with a registration stands for itself, and so does a token request of nobody', () => {
    const { steps, add } = history();
    add('registration', { refusal: refusal('invalid_redirect_uri') });
    add('token', { client: 'gone', refusal: refusal('invalid_client') });
    expect(only(steps).map((attempt) => judgeAttempt(attempt, start))).toMatchObject([
      { status: 'failed', step: 'token', problem: 'words of invalid_client', fix: expect.stringContaining('register again') },
      { status: 'failed', step: 'registration', problem: 'words of invalid_redirect_uri' },
    ]);
  });
});

describe('the verdict', () => {
  const upToConsent = () => {
    const { steps, add } = history();
    add('authorize', { client: 'c1', attempt: 'a1', visitor: 'person' });
    add('consent', { client: 'c1', attempt: 'a1', grant: 'g1', visitor: 'person' });
    return { steps, add };
  };
  const judged = (steps: readonly KeptConnectionStep[], after: number) => {
    const [attempt] = only(steps);
    if (attempt === undefined) throw new Error('there is no attempt');
    return judgeAttempt(attempt, start + after);
  };

  test('names the code that was issued and never redeemed, a minute later', () => {
    const { steps } = upToConsent();
    expect(judged(steps, 30_000)).toMatchObject({ status: 'waiting', step: 'token' });
    expect(judged(steps, 2 * minute)).toMatchObject({
      status: 'failed',
      step: 'token',
      problem: 'Code issued, never redeemed',
      fix: expect.stringContaining('token endpoint'),
    });
  });

  test('says the same of a code that nobody had to allow again', () => {
    const { steps, add } = history();
    add('authorize', { client: 'c1', attempt: 'a1', grant: 'g1', visitor: 'person' });
    expect(judged(steps, 2 * minute)).toMatchObject({ status: 'failed', step: 'token', problem: 'Code issued, never redeemed' });
  });

  test('is of the last refusal, in its words, where nothing went well after it', () => {
    const { steps, add } = upToConsent();
    add('token', { grant: 'g1', refusal: refusal('invalid_grant', 'code_verifier does not match the code_challenge') });
    expect(judged(steps, 2 * minute)).toMatchObject({
      status: 'failed',
      step: 'token',
      problem: 'code_verifier does not match the code_challenge',
      fix: expect.stringContaining('verifier'),
    });
  });

  test('forgets a refusal that the client got over', () => {
    const { steps, add } = upToConsent();
    add('token', { grant: 'g1', refusal: refusal('temporarily_unavailable') });
    add('token', { grant: 'g1' });
    expect(judged(steps, minute)).toMatchObject({ status: 'waiting', step: 'first_use' });
    expect(judged(steps, 10 * minute)).toMatchObject({ status: 'failed', step: 'first_use', problem: 'The token was never used' });
  });

  test('tells a person who said no from one who never decided', () => {
    const denied = history();
    denied.add('authorize', { client: 'c1', attempt: 'a1' });
    denied.add('consent', { attempt: 'a1', grant: 'g1', refusal: refusal('access_denied') });
    expect(judged(denied.steps, minute)).toMatchObject({ status: 'failed', step: 'consent', fix: expect.stringContaining('said no') });
    const silent = history();
    silent.add('authorize', { client: 'c1', attempt: 'a1' });
    expect(judged(silent.steps, minute)).toMatchObject({ status: 'waiting', step: 'consent' });
    expect(judged(silent.steps, 61 * minute)).toMatchObject({ status: 'failed', step: 'consent', problem: 'The person never decided' });
  });

  const connecting = (after: (add: ReturnType<typeof history>['add']) => void) => {
    const { steps, add } = history();
    add('authorize', { client: 'c', attempt: 'a', visitor: 'person' });
    add('consent', { client: 'c', attempt: 'a', grant: 'g', visitor: 'person' });
    add('token', { client: 'c', grant: 'g' });
    after(add);
    return judgeAttempt(only(steps)[0] as never, start + 60 * minute);
  };

  test('on a client that redeemed its code twice, and so lost its tokens, blames no resource', () => {
    expect(connecting(() => undefined)).toMatchObject({ status: 'failed', step: 'first_use' });
    expect(connecting((add) => add('token', { client: 'c', grant: 'g', refusal: refusal('invalid_grant') }))).toMatchObject({
      status: 'failed',
      step: 'token',
      problem: 'words of invalid_grant',
    });
  });

  test('on a client that has used its token stays, whatever it is refused later', () => {
    expect(
      connecting((add) => {
        add('first_use', { client: 'c', grant: 'g', visitor: 'nowhere' });
        add('token', { client: 'c', grant: 'g', refusal: refusal('invalid_grant') });
      }),
    ).toEqual({ status: 'connected' });
  });
});
