import { request as send } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { described, type ExampleResource, json, openExampleResource } from './example-resource-client.ts';

let api: ExampleResource;

beforeAll(async () => {
  api = await openExampleResource();
});
afterAll(() => api.stop());

describe('credentials', () => {
  test('are asked for with Bearer first, then Basic, in two headers', async () => {
    const challenges = await new Promise<readonly string[]>((resolve, reject) => {
      send(`${api.url}/arlo/events/`, (response) => {
        response.resume();
        const { rawHeaders } = response;
        resolve(rawHeaders.flatMap((name, at) => (at % 2 === 0 && name === 'WWW-Authenticate' ? [rawHeaders[at + 1] ?? ''] : [])));
      })
        .on('error', reject)
        .end();
    });
    const metadata = `${new URL(api.server.issuer).origin}/.well-known/oauth-protected-resource/arlo/api/2012-02-01/auth/resources`;
    expect(challenges).toEqual([
      `Bearer realm="arlo", scope="read", resource_metadata="${metadata}"`,
      'Basic realm="arlo", charset="UTF-8"',
    ]);
  });

  test('that are wrong are refused in the media type asked for, with one Cache-Control', async () => {
    const response = await api.get('/arlo/events/', 'wrong', json);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(response.headers.get('www-authenticate')).toContain('error_message="The access token is invalid');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ error: 'invalid_token' });
    const xml = await (await api.get('/arlo/events/', 'wrong')).text();
    expect(xml).toContain('<Error><Error>invalid_token</Error><ErrorDescription>');
  });

  test('are read in the header alone', async () => {
    expect((await api.get('/arlo/events/?access_token=reader')).status).toBe(401);
  });

  test('that come twice are refused, whichever is good', async () => {
    for (const tokens of [
      ['reader', 'wrong'],
      ['wrong', 'reader'],
    ]) {
      const headers = ['Host', 'x', ...tokens.flatMap((token) => ['Authorization', `Bearer ${token}`])];
      const status = await new Promise((resolve, reject) => {
        const asked = send(`${api.url}/arlo/events/`, { headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        asked.once('error', reject).end();
      });
      expect(status).toBe(400);
    }
  });

  test('by HTTP Basic work with the roles alone, and every answer tells of the end', async () => {
    const basic = `Basic ${btoa('administrator:password')}`;
    const response = await fetch(`${api.url}/arlo/contacts/562/`, {
      headers: { authorization: basic, 'x-forwarded-for': '6.6.6.6, 192.0.2.7' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('ratelimit')).toBe('"exploration";r=7');
    expect(api.server.lastForm().get('client_address')).toBe('192.0.2.7');
    const refused = await fetch(`${api.url}/arlo/events/`, { headers: { authorization: `Basic ${btoa('nobody:password')}` } });
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([403, '"exploration";r=7']);
    expect(api.server.lastForm().get('client_address')).toMatch(/127\.0\.0\.1$/);
  });

  test.each([
    ['Basic', `Basic ${btoa('administrator:password')}`, 403],
    ['Bearer', 'Bearer administrator', 200],
  ])('of %s that a page of another origin has a browser send: only remembered ones are refused', async (_, authorization, expected) => {
    const headers = { ...json, authorization, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' };
    const [status, text] = await new Promise<readonly [number | undefined, string]>((resolve, reject) => {
      const asked = send(`${api.url}/arlo/contacts/562/`, { headers }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString();
        });
        response.once('end', () => resolve([response.statusCode, body]));
      });
      asked.once('error', reject).end();
    });
    expect(status).toBe(expected);
    if (expected === 403) expect(text).toContain('Pages of other origins cannot use the credentials that a browser remembers');
  });
});

describe('roles', () => {
  test('api_user and administrator together see everything, each alone nothing', async () => {
    expect((await api.get('/arlo/contacts/318/', 'reader')).status).toBe(200);
    for (const token of ['user', 'retired', 'lonely', 'nobody']) {
      const response = await api.get('/arlo/events/', token, json);
      expect(response.status).toBe(403);
      expect(response.headers.get('www-authenticate')).toBeNull();
      expect(await described(response)).toMatch(/api_user and administrator.*api_user and presenter/);
    }
  });

  test('a presenter reads its own contact and events, and is told why nothing else', async () => {
    expect((await api.get('/arlo/contacts/562/', 'presenter')).status).toBe(200);
    expect(await (await api.get('/arlo/contacts/', 'presenter', json)).json()).toMatchObject({ contacts: [{ contactId: 562 }] });
    const { events } = (await (await api.get('/arlo/events/', 'presenter', json)).json()) as { events: { eventId: number }[] };
    expect(events.map(({ eventId }) => eventId)).toEqual([41, 42]);
    for (const id of [318, 999]) {
      const response = await api.get(`/arlo/contacts/${id}/`, 'presenter', json);
      expect(response.status).toBe(403);
      expect(await described(response)).toContain('its own contact and events only');
    }
    const changed = await api.put('/arlo/contacts/562/', 'presenter', '{"firstName":"P","lastName":"P","email":"p@example.org"}');
    expect([changed.status, await described(changed)]).toEqual([403, expect.stringContaining('does not change')]);
  });

  test.each<[string, string, number, string]>([
    ['administrator', '/arlo/contacts/318/', 200, ''],
    ['administrator', '/arlo/contacts/999/', 404, 'There is no contact 999'],
    ['presenter', '/arlo/contacts/562/', 200, ''],
    ['presenter', '/arlo/contacts/318/', 403, 'its own contact and events only'],
    ['stranger', '/arlo/events/', 403, 'no contact is bound'],
    ['user', '/arlo/events/', 403, 'api_user and administrator together'],
    ['retired', '/arlo/events/', 403, 'api_user and administrator together'],
    ['lonely', '/arlo/events/', 403, 'api_user and administrator together'],
    ['nobody', '/arlo/events/', 403, 'api_user and administrator together'],
  ])('give %s at %s the same by HTTP Basic as by OAuth: %i', async (who, path, status, reason) => {
    for (const authorization of [`Bearer ${who}`, `Basic ${btoa(`${who}:password`)}`]) {
      const response = await fetch(api.url + path, { headers: { authorization, ...json } });
      expect(response.status, authorization.split(' ')[0]).toBe(status);
      expect(response.headers.get('www-authenticate')).toBeNull();
      if (reason !== '') expect(await described(response)).toContain(reason);
    }
  });

  test('a presenter without a contact sees nothing', async () => {
    const response = await api.get('/arlo/events/', 'stranger', json);
    expect([response.status, await described(response)]).toEqual([403, expect.stringContaining('no contact is bound')]);
  });
});
