import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request as send } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readyPort, startAuthorizationServer, startExampleResource } from './example-resource-processes.ts';

let server: Awaited<ReturnType<typeof startAuthorizationServer>>;
let child: ChildProcess;
let url: string;

beforeAll(async () => {
  server = await startAuthorizationServer();
  child = startExampleResource(server.environment);
  url = `http://127.0.0.1:${await readyPort(child)}`;
});
afterAll(async () => {
  server.stop();
  if (child.exitCode === null) {
    child.kill();
    await once(child, 'exit');
  }
});

const get = (path: string, token?: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(url + path, { headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers } });

const json = { accept: 'application/json' };
const put = (path: string, token: string, body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(url + path, {
    method: 'PUT',
    body: body as string,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...json, ...headers },
  });
const described = async (response: Response): Promise<string> =>
  ((await response.json()) as { error_description: string }).error_description;

describe('the example resource', () => {
  test('gives the contact of the documents as XML, with or without a slash at its end', async () => {
    const response = await get('/arlo/contacts/562/', 'reader', { accept: 'application/xml' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/xml; charset=utf-8');
    expect(response.headers.get('vary')).toBe('Accept');
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    const text = await response.text();
    expect(text).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Contact><ContactId>562</ContactId><FirstName>Paula</FirstName><LastName>Presenter</LastName>` +
        `<Email>paula@example.org</Email><Href>${server.resource}/contacts/562/</Href></Contact>\n`,
    );
    expect(await (await get('/arlo/contacts/562', 'reader', { accept: 'application/xml' })).text()).toBe(text);
  });

  test('escapes everything in XML and keeps UTF-8', async () => {
    const contacts = await (await get('/arlo/contacts/', 'reader')).text();
    for (const text of ['Tūhoe &amp; Sons', 'Søren', 'O&apos;Hara']) expect(contacts).toContain(text);
    expect(await (await get('/arlo/events/', 'reader')).text()).toContain('First aid &lt;advanced&gt;');
  });

  test.each([
    [undefined, 'application/xml; charset=utf-8'],
    ['*/*', 'application/xml; charset=utf-8'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'application/xml; charset=utf-8'],
    ['application/json', 'application/json'],
    ['application/xml;q=0.5, application/json', 'application/json'],
    ['application/json, text/plain, */*', 'application/json'],
    ['application/json;q=0.2, application/xml;q=0.3', 'application/xml; charset=utf-8'],
    ['*/*, application/xml;q=0', 'application/json'],
    ['text/*', 'text/xml; charset=utf-8'],
    ['APPLICATION/JSON; Q=1', 'application/json'],
    ['application/json;q=2, application/xml;q=0.1', 'application/xml; charset=utf-8'],
    ['application/json;version=2, text/xml', 'text/xml; charset=utf-8'],
  ])('answers Accept %j with %s', async (accept, type) => {
    // fetch would send an Accept of its own where none is asked for.
    const answered = await new Promise<string | undefined>((resolve, reject) => {
      const headers = { authorization: 'Bearer reader', ...(accept === undefined ? {} : { accept }) };
      send(`${url}/arlo/events/`, { headers }, (response) => {
        response.resume();
        resolve(response.headers['content-type']);
      })
        .on('error', reject)
        .end();
    });
    expect(answered).toBe(type);
  });

  test.each(['text/html', 'application/xml;q=0, application/json;q=0.0, text/xml;q=0', 'nonsense'])(
    'says what there is to Accept %j',
    async (accept) => {
      const response = await get('/arlo/events/', 'reader', { accept });
      expect(response.status).toBe(406);
      expect(response.headers.get('vary')).toBe('Accept');
      expect(await response.text()).toContain('application/xml, application/json, text/xml');
    },
  );

  test('describes itself to everybody', async () => {
    for (const path of ['/arlo', '/arlo/']) {
      const response = await get(path, undefined, json);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        resources: [{ href: `${server.resource}/events/` }, {}, { href: `${server.resource}/contacts/562/` }],
      });
    }
  });

  test('names each event’s presenter', async () => {
    const { events } = (await (await get('/arlo/events', 'reader', json)).json()) as {
      events: { eventId: number; presenterContactId: number }[];
    };
    expect(events.map(({ eventId, presenterContactId }) => [eventId, presenterContactId])).toEqual([
      [41, 562],
      [42, 562],
      [57, 318],
    ]);
  });

  test.each(['/', '/arlo2/', '/arlo/contacts/x/', '/arlo/contacts/0562/', '/arlo/contacts/562//', '/arlo/events/41/', '/arlo/../arlo/x'])(
    'has nothing at %s',
    async (path) => {
      expect((await get(path, 'reader')).status).toBe(404);
    },
  );

  test('has no contact that nobody made', async () => {
    expect((await get('/arlo/contacts/999/', 'reader')).status).toBe(404);
    expect((await put('/arlo/contacts/999/', 'administrator', '{}')).status).toBe(404);
  });

  test.each([
    ['POST', '/arlo/', 'GET, HEAD'],
    ['PUT', '/arlo/events/', 'GET, HEAD'],
    ['DELETE', '/arlo/contacts/562/', 'GET, HEAD, PUT'],
  ])('refuses %s at %s and names what there is', async (method, path, allow) => {
    const response = await fetch(url + path, { method, headers: { authorization: 'Bearer administrator' } });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
  });

  test('answers HEAD as GET, without the body', async () => {
    const response = await fetch(`${url}/arlo/events/`, { method: 'HEAD', headers: { authorization: 'Bearer reader' } });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(0);
    expect(await response.text()).toBe('');
  });
});

describe('credentials', () => {
  test('are asked for with Bearer first, then Basic, in two headers', async () => {
    const challenges = await new Promise<readonly string[]>((resolve, reject) => {
      send(`${url}/arlo/events/`, (response) => {
        response.resume();
        const { rawHeaders } = response;
        resolve(rawHeaders.flatMap((name, at) => (at % 2 === 0 && name === 'WWW-Authenticate' ? [rawHeaders[at + 1] ?? ''] : [])));
      })
        .on('error', reject)
        .end();
    });
    const metadata = `${new URL(server.issuer).origin}/.well-known/oauth-protected-resource/arlo/api/2012-02-01/auth/resources`;
    expect(challenges).toEqual([
      `Bearer realm="arlo", scope="read", resource_metadata="${metadata}"`,
      'Basic realm="arlo", charset="UTF-8"',
    ]);
  });

  test('that are wrong are refused in the media type asked for, with one Cache-Control', async () => {
    const response = await get('/arlo/events/', 'wrong', json);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(response.headers.get('www-authenticate')).toContain('error_message="The access token is invalid');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ error: 'invalid_token' });
    const xml = await (await get('/arlo/events/', 'wrong')).text();
    expect(xml).toContain('<Error><Error>invalid_token</Error><ErrorDescription>');
  });

  test('are read in the header alone', async () => {
    expect((await get('/arlo/events/?access_token=reader')).status).toBe(401);
  });

  test('by HTTP Basic work with the roles alone, and every answer tells of the end', async () => {
    const basic = `Basic ${btoa('administrator:password')}`;
    const response = await fetch(`${url}/arlo/contacts/562/`, {
      headers: { authorization: basic, 'x-forwarded-for': '6.6.6.6, 192.0.2.7' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('ratelimit')).toBe('"exploration";r=7');
    expect(server.lastForm().get('client_address')).toBe('192.0.2.7');
    const refused = await fetch(`${url}/arlo/events/`, { headers: { authorization: `Basic ${btoa('nobody:password')}` } });
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([403, '"exploration";r=7']);
    expect(server.lastForm().get('client_address')).toMatch(/127\.0\.0\.1$/);
  });
});

describe('roles', () => {
  test('api_user and administrator together see everything, each alone nothing', async () => {
    expect((await get('/arlo/contacts/318/', 'reader')).status).toBe(200);
    for (const token of ['user', 'retired', 'lonely', 'nobody']) {
      const response = await get('/arlo/events/', token, json);
      expect(response.status).toBe(403);
      expect(response.headers.get('www-authenticate')).toBeNull();
      expect(await described(response)).toMatch(/api_user and administrator.*api_user and presenter/);
    }
  });

  test('a presenter reads its own contact and events, and is told why nothing else', async () => {
    expect((await get('/arlo/contacts/562/', 'presenter')).status).toBe(200);
    expect(await (await get('/arlo/contacts/', 'presenter', json)).json()).toMatchObject({ contacts: [{ contactId: 562 }] });
    const { events } = (await (await get('/arlo/events/', 'presenter', json)).json()) as { events: { eventId: number }[] };
    expect(events.map(({ eventId }) => eventId)).toEqual([41, 42]);
    for (const id of [318, 999]) {
      const response = await get(`/arlo/contacts/${id}/`, 'presenter', json);
      expect(response.status).toBe(403);
      expect(await described(response)).toContain('its own contact and events only');
    }
    const changed = await put('/arlo/contacts/562/', 'presenter', '{"firstName":"P","lastName":"P","email":"p@example.org"}');
    expect([changed.status, await described(changed)]).toEqual([403, expect.stringContaining('does not change')]);
  });

  test('a presenter without a contact sees nothing', async () => {
    const response = await get('/arlo/events/', 'stranger', json);
    expect([response.status, await described(response)]).toEqual([403, expect.stringContaining('no contact is bound')]);
  });
});

describe('a change of a contact', () => {
  const contact = { firstName: 'Søren', lastName: 'Ø <&>', email: 'new@example.org' };

  test('needs the scope write', async () => {
    const response = await put('/arlo/contacts/771/', 'reader', JSON.stringify(contact));
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toMatch(/error="insufficient_scope".* scope="write".* scopes="write"/);
  });

  test('is seen by the next reader', async () => {
    const response = await put('/arlo/contacts/771/', 'administrator', JSON.stringify(contact));
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining({ contactId: 771, ...contact })]);
    expect(await (await get('/arlo/contacts/771/', 'reader')).text()).toContain('<LastName>Ø &lt;&amp;&gt;</LastName>');
  });

  test.each([
    ['{', 'the body must be JSON'],
    ['[]', 'the body must be a JSON object'],
    ['{"firstName":"a","lastName":5}', 'lastName must be a string|email is missing'],
    [{ ...contact, firstName: ' ' }, 'firstName must have 1 to 100 characters'],
    [{ ...contact, firstName: 'x'.repeat(101) }, 'firstName must have 1 to 100 characters'],
    [{ ...contact, lastName: 'a\nb' }, 'lastName must not contain control characters'],
    [{ ...contact, email: 'nobody' }, 'email must be an email address'],
    [{ ...contact, contactId: 1 }, 'only firstName, lastName, email can be sent'],
  ])('to %j says what is wrong', async (body, problems) => {
    const response = await put('/arlo/contacts/318/', 'administrator', typeof body === 'string' ? body : JSON.stringify(body));
    expect(response.status).toBe(400);
    expect((await response.json()) as unknown).toMatchObject({ error: 'invalid_contact', problems: problems.split('|') });
    expect(await (await get('/arlo/contacts/318/', 'reader')).text()).toContain('Ngaire');
  });

  test('is refused where it is no UTF-8, no JSON or too much', async () => {
    expect((await put('/arlo/contacts/318/', 'administrator', Uint8Array.from([0xff]))).status).toBe(400);
    expect((await put('/arlo/contacts/318/', 'administrator', '<Contact/>', { 'content-type': 'application/xml' })).status).toBe(415);
    expect((await put('/arlo/contacts/318/', 'administrator', `{"firstName":"${'x'.repeat(5_000)}"}`)).status).toBe(413);
  });
});

describe('the process', () => {
  test('is ready once it says so', async () => {
    expect((await get('/readyz')).status).toBe(200);
  });

  test('says all at once what is missing, and ends with 2', async () => {
    const broken = startExampleResource({ PORT: 'x', ISSUER: 'arlo' });
    let said = '';
    broken.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [code] = await once(broken, 'close');
    expect(code).toBe(2);
    for (const name of ['PORT', 'ISSUER', 'RESOURCE', 'CLIENT_ID', 'CLIENT_SECRET']) expect(said).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  test.each<[string, (process: ChildProcess) => unknown]>([
    ['SIGTERM', (process) => process.kill('SIGTERM')],
    ['SIGINT', (process) => process.kill('SIGINT')],
    ['the end of its launcher', (process) => process.disconnect()],
  ])('ends with 0 on %s, also with a connection open', async (_, stop) => {
    const one = startExampleResource(server.environment);
    const port = await readyPort(one);
    const idle = connect(port, '127.0.0.1');
    idle.on('error', () => {});
    await once(idle, 'connect');
    await (await fetch(`http://127.0.0.1:${port}/readyz`)).text();
    stop(one);
    const [code] = await once(one, 'exit');
    idle.destroy();
    expect(code).toBe(0);
  });
});
