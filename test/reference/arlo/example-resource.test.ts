import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request as send } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ExampleResource, json, openExampleResource } from './example-resource-client.ts';
import { readyPort, startExampleResource } from './example-resource-processes.ts';

let api: ExampleResource;

beforeAll(async () => {
  api = await openExampleResource();
});
afterAll(() => api.stop());

describe('the example resource', () => {
  test('gives the contact of the documents as XML, with or without a slash at its end', async () => {
    const response = await api.get('/arlo/contacts/562/', 'reader', { accept: 'application/xml' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/xml; charset=utf-8');
    expect(response.headers.get('vary')).toBe('Accept');
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    const text = await response.text();
    expect(text).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<Contact><ContactId>562</ContactId><FirstName>Paula</FirstName><LastName>Presenter</LastName>` +
        `<Email>paula@example.org</Email><Href>${api.server.resource}/contacts/562/</Href></Contact>\n`,
    );
    expect(await (await api.get('/arlo/contacts/562', 'reader', { accept: 'application/xml' })).text()).toBe(text);
  });

  test('escapes everything in XML and keeps UTF-8', async () => {
    const contacts = await (await api.get('/arlo/contacts/', 'reader')).text();
    for (const text of ['Tūhoe &amp; Sons', 'Søren', 'O&apos;Hara']) expect(contacts).toContain(text);
    expect(await (await api.get('/arlo/events/', 'reader')).text()).toContain('First aid &lt;advanced&gt;');
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
      send(`${api.url}/arlo/events/`, { headers }, (response) => {
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
      const response = await api.get('/arlo/events/', 'reader', { accept });
      expect(response.status).toBe(406);
      expect(response.headers.get('vary')).toBe('Accept');
      expect(await response.text()).toContain('application/xml, application/json, text/xml');
    },
  );

  test('describes itself to everybody', async () => {
    for (const path of ['/arlo', '/arlo/']) {
      const response = await api.get(path, undefined, json);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        resources: [{ href: `${api.server.resource}/events/` }, {}, { href: `${api.server.resource}/contacts/562/` }],
      });
    }
  });

  test('names each event’s presenter', async () => {
    const { events } = (await (await api.get('/arlo/events', 'reader', json)).json()) as {
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
      expect((await api.get(path, 'reader')).status).toBe(404);
    },
  );

  test('has no contact that nobody made, and says so as XML and as JSON', async () => {
    const missing = await api.get('/arlo/contacts/999/', 'reader');
    expect([missing.status, missing.headers.get('content-type')]).toEqual([404, 'application/xml; charset=utf-8']);
    expect(await missing.text()).toMatch(/^<\?xml .*\n<Error><Error>not_found<\/Error><ErrorDescription>There is no contact 999\./);
    const asJson = await api.get('/arlo/contacts/999/', 'reader', json);
    expect([asJson.status, asJson.headers.get('content-type')]).toEqual([404, 'application/json']);
    expect(await asJson.json()).toEqual({ error: 'not_found', error_description: expect.stringContaining('There is no contact 999') });
    expect((await api.put('/arlo/contacts/999/', 'administrator', '{}')).status).toBe(404);
  });

  test.each([
    ['POST', '/arlo/', 'GET, HEAD'],
    ['PUT', '/arlo/events/', 'GET, HEAD'],
    ['DELETE', '/arlo/contacts/562/', 'GET, HEAD, PUT'],
  ])('refuses %s at %s and names what there is', async (method, path, allow) => {
    const response = await fetch(api.url + path, { method, headers: { authorization: 'Bearer administrator' } });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
  });

  test('answers HEAD as GET, without the body', async () => {
    const response = await fetch(`${api.url}/arlo/events/`, { method: 'HEAD', headers: { authorization: 'Bearer reader' } });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(0);
    expect(await response.text()).toBe('');
  });
});

describe('a change of a contact', () => {
  const contact = { firstName: 'Søren', lastName: 'Ø <&>', email: 'new@example.org' };

  test('needs the scope write', async () => {
    const response = await api.put('/arlo/contacts/771/', 'reader', JSON.stringify(contact));
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toMatch(/error="insufficient_scope".* scope="write".* scopes="write"/);
  });

  test('is seen by the next reader', async () => {
    const response = await api.put('/arlo/contacts/771/', 'administrator', JSON.stringify(contact));
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining({ contactId: 771, ...contact })]);
    expect(await (await api.get('/arlo/contacts/771/', 'reader')).text()).toContain('<LastName>Ø &lt;&amp;&gt;</LastName>');
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
    const response = await api.put('/arlo/contacts/318/', 'administrator', typeof body === 'string' ? body : JSON.stringify(body));
    expect(response.status).toBe(400);
    expect((await response.json()) as unknown).toMatchObject({ error: 'invalid_contact', problems: problems.split('|') });
    expect(await (await api.get('/arlo/contacts/318/', 'reader')).text()).toContain('Ngaire');
  });

  test('is refused where it is no UTF-8, no JSON or too much', async () => {
    expect((await api.put('/arlo/contacts/318/', 'administrator', Uint8Array.from([0xff]))).status).toBe(400);
    expect((await api.put('/arlo/contacts/318/', 'administrator', '<Contact/>', { 'content-type': 'application/xml' })).status).toBe(415);
    expect((await api.put('/arlo/contacts/318/', 'administrator', `{"firstName":"${'x'.repeat(5_000)}"}`)).status).toBe(413);
  });
});

describe('the process', () => {
  test('is ready once it says so', async () => {
    expect((await api.get('/readyz')).status).toBe(200);
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
    const one = startExampleResource(api.server.environment);
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
