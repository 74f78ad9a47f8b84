import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createWorld } from '../management/support/world.ts';
import { createAgentWorld } from '../rest/support/agents.ts';

type World = Awaited<ReturnType<typeof createWorld>>;
let world: World;
let production: World;

beforeAll(async () => {
  world = await createWorld(inject('databaseUrl'));
  production = await createWorld(inject('databaseUrl'), { isDevelopment: false });
});
afterAll(async () => {
  await world.close();
  await production.close();
});

const html = { accept: 'text/html' };

describe('the front page', () => {
  test('links to the mailbox in development, for people and programs, and the link leads there', async () => {
    const page = await world.app.inject({ url: '/', headers: html });
    expect(page.statusCode).toBe(200);
    const [, link = ''] = /href="([^"]*)">mailbox</.exec(page.body) ?? [];
    const mailbox = await world.app.inject({ url: link, headers: html });
    expect([mailbox.statusCode, mailbox.body.includes('<h1>Mailbox</h1>')]).toEqual([200, true]);
    const { mailbox: url } = (await world.app.inject({ url: '/' })).json() as { readonly mailbox: string };
    expect((await world.app.inject({ url: new URL(url).pathname })).json()).toEqual({ mails: [] });
  });

  test('names the MCP server of a platform that has one, and no other', async () => {
    const agents = await createAgentWorld(inject('databaseUrl'));
    try {
      const { body } = await agents.app.inject({ url: '/', headers: html });
      expect([...body.matchAll(/MCP server <code>([^<]*)</g)].map(([, url]) => url)).toEqual(['http://localhost:4000/arlo-health/mcp']);
      expect((await agents.app.inject({ url: '/arlo-health/llms.txt' })).statusCode).toBe(200);
    } finally {
      await agents.close();
    }
  });

  test('says nothing of a mailbox elsewhere, nor which platforms there are', async () => {
    for (const headers of [html, { accept: 'application/json' }]) {
      const answer = await production.app.inject({ url: '/', headers });
      expect(answer.statusCode).toBe(200);
      expect(answer.body).not.toMatch(/mailbox|MCP server|The arlo platform/i);
    }
  });
});
