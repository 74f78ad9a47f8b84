import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createDpopWorld, type DpopWorld, vault } from './support/dpop-world.ts';

let world: DpopWorld;
beforeAll(async () => {
  world = await createDpopWorld(inject('databaseUrl'));
});
afterAll(() => world.close());

const path = `/${vault}/oauth/par`;
const push = (more: Readonly<Record<string, string>>, dpop?: string) =>
  world.post(
    path,
    {
      client_id: world.client.clientId,
      response_type: 'code',
      redirect_uri: 'http://localhost:9999/back',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      ...more,
    },
    dpop === undefined ? {} : { dpop },
  );

describe('a pushed authorization request', () => {
  test('may name the key of its code, prove it, or both', async () => {
    const key = world.key();
    expect(await push({ dpop_jkt: key.jkt })).toMatchObject({ status: 201 });
    expect(await push({}, world.proofFor(key, path))).toMatchObject({ status: 201 });
    expect(await push({ dpop_jkt: key.jkt }, world.proofFor(key, path))).toMatchObject({ status: 201 });
  });

  test('that names another key than it proves is refused (RFC 9449 §10.1)', async () => {
    const answer = await push({ dpop_jkt: world.key().jkt }, world.proofFor(world.key(), path));
    expect(answer).toMatchObject({
      status: 400,
      body: { error: 'invalid_dpop_proof', error_description: expect.stringContaining('dpop_jkt') },
    });
  });

  test('is refused with a proof for another endpoint, or one that was used before', async () => {
    const key = world.key();
    const elsewhere = world.proofFor(key, `/${vault}/oauth/token`);
    expect(await push({}, elsewhere)).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
    const proof = world.proofFor(key, path);
    expect(await push({}, proof)).toMatchObject({ status: 201 });
    expect(await push({}, proof)).toMatchObject({ status: 400, body: { error: 'invalid_dpop_proof' } });
  });

  test.each(['', 'abc', `${'A'.repeat(43)}=`, `${'A'.repeat(42)}B`, 'sha256'])(
    'that names %j is refused or takes no key from it: it is no thumbprint',
    async (dpop_jkt) => {
      const { status, body } = await push({ dpop_jkt });
      // An empty parameter is one that was left out (RFC 6749 §3.1).
      expect([status, body['error']]).toEqual(dpop_jkt === '' ? [201, undefined] : [400, 'invalid_request']);
    },
  );
});
