import type { PlatformId } from '@grantlog/eventsourcing';
import { type ClientChange, changeClient } from '@grantlog/provisioning';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { post } from '../../support/agent.ts';
import { eventually } from '../../support/eventually.ts';
import { createOAuthMemory, type McpAgent, mcpClients, type OAuthMemory } from '../../support/mcp-clients.ts';
import { openTrustedSite, type TrustedSite } from '../../support/trusted-site.ts';
import { createVisitor } from '../../support/visitor.ts';
import { by, type TestAccount } from '../../support/workbench.ts';
import { type Along, callback, platform, startAlong } from './support/along.ts';
import { allowWithSafe, ownerOfSafes } from './support/safes.ts';

/** Programs with an MCP client of either generation, as it is published: how they come to be known, and what becomes of them. */
let along: Along;
let site: TrustedSite;
let documentUrl: string;

beforeAll(async () => {
  site = await openTrustedSite();
  along = await startAlong(inject('databaseUrl'), { workers: 1, settings: site.settings });
  documentUrl = site.describe('/program/client.json', {
    client_name: 'A program of a test',
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
  });
});
afterAll(async () => {
  await along.stop();
  await site.close();
});

const takeDocuments = (taken: boolean): Promise<void> =>
  along.configure({ registration: { policy: taken ? ['preset', 'open', 'metadata_document'] : ['preset', 'open'] } });
const selectedBy = async (agent: McpAgent): Promise<unknown> => {
  const { safes } = (await agent.call('along_list_safes')).structuredContent as {
    readonly safes: readonly { readonly safeId: string; readonly selected: boolean }[];
  };
  return safes.find(({ selected }) => selected)?.safeId;
};
const clientIdOf = (memory: OAuthMemory): string => memory.clientInformation()?.client_id ?? '';
/** The access token of a memory is good for nothing from here on; its refresh token is. */
const endAccess = async (memory: OAuthMemory): Promise<void> => {
  const { status } = await post(`${along.issuer}/oauth/revoke`, {
    token: memory.tokens()?.access_token ?? '',
    client_id: clientIdOf(memory),
  });
  expect(status).toBe(200);
};
const endClient = async (clientId: string, command: ClientChange): Promise<void> => {
  const ended = await changeClient(along.bench.context, by, { platform: platform as PlatformId, clientId, command });
  if ('refusal' in ended) throw new Error(ended.refusal);
};
const grantOf = async (memory: OAuthMemory): Promise<string> =>
  String((await along.introspect(memory.tokens()?.access_token ?? '')).body['grant_id']);

/** What is connected to a person, as their page has it once it lists these grants. */
const connectionsOf = async (person: TestAccount, grants: readonly string[]) => {
  const visitor = createVisitor(along.deployment.publicUrl);
  const form = await visitor.open(`${along.issuer}/connections`);
  await visitor.post(`${along.issuer}/sign-in`, { ...form.hidden, email: person.email, password: person.password, back: 'connections' });
  const page = await eventually('the list of connections', async () => {
    const list = await visitor.open(`${along.issuer}/connections`);
    return grants.every((grant) => list.text.includes(grant)) ? list : null;
  });
  return { page, send: (path: string, form: Readonly<Record<string, string>>) => visitor.post(`${along.issuer}${path}`, form) };
};

describe.each(mcpClients)('a program with $name', ({ connect }) => {
  /** One installation of the program: it has a memory of its own, and comes by its document where it can. */
  const install = async (
    person: TestAccount,
    safe: string,
    memory = createOAuthMemory({ redirectUri: callback, metadataUrl: documentUrl }),
  ) => {
    const agent = await connect({ url: along.mcp, memory, authorize: (sentTo) => allowWithSafe(sentTo, person, safe) });
    return { memory, agent };
  };

  test('comes by its metadata document, and registers where no documents are taken; who came by it before goes on', async () => {
    const person = await ownerOfSafes(along);
    const before = await install(person, 'safe_home');
    expect([clientIdOf(before.memory), await selectedBy(before.agent)]).toEqual([documentUrl, 'safe_home']);
    await takeDocuments(false);
    try {
      const after = await install(person, 'safe_work');
      expect(clientIdOf(after.memory)).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(await selectedBy(after.agent)).toBe('safe_work');
      for (const { memory, agent } of [before, after]) {
        await endAccess(memory);
        expect(await selectedBy(agent)).toMatch(/^safe_/);
        expect(memory.sentTo.map(({ searchParams }) => searchParams.get('client_id'))).toEqual([clientIdOf(memory)]);
        await agent.close();
      }
    } finally {
      await takeDocuments(true);
    }
  });

  test('whose registration was ended while it holds it registers again, and its person sees nothing of that but being asked', async () => {
    const person = await ownerOfSafes(along);
    const memory = createOAuthMemory({ redirectUri: callback });
    const { agent } = await install(person, 'safe_home', memory);
    await agent.close();
    const first = clientIdOf(memory);
    await endClient(first, { type: 'delete' });
    const again = await install(person, 'safe_work', memory);
    expect(memory.sentTo.map(({ searchParams }) => searchParams.get('client_id'))).toEqual([first, clientIdOf(memory)]);
    expect([clientIdOf(memory) === first, await selectedBy(again.agent)]).toEqual([false, 'safe_work']);
    await again.agent.close();
  });

  test('that was reaped because nobody came is told so by the token endpoint, and by a page', async () => {
    const memory = createOAuthMemory({ redirectUri: callback });
    await expect(connect({ url: along.mcp, memory })).rejects.toThrow();
    const [reaped, [sentTo]] = [clientIdOf(memory), memory.sentTo];
    await endClient(reaped, { type: 'reap', now: Date.now() + 1_000, seconds: 0 });
    const page = await createVisitor(null).open(sentTo?.href ?? '');
    expect([page.status, page.location, page.text]).toEqual([400, null, expect.stringMatching(/again/)]);
    // Tokens of whatever age lead the client to the token endpoint, and by its 401 to another registration.
    memory.saveTokens({ access_token: 'avo_a-of-long-ago', token_type: 'Bearer', refresh_token: 'avo_r-of-long-ago' });
    const again = await install(await ownerOfSafes(along), 'safe_home', memory);
    expect(memory.sentTo.map(({ searchParams }) => searchParams.get('client_id'))).toEqual([reaped, clientIdOf(memory)]);
    expect([clientIdOf(memory) === reaped, await selectedBy(again.agent)]).toEqual([false, 'safe_home']);
    await again.agent.close();
  });

  test('is many installations of one document for one person: each has its Safe, and one that its person ends leaves the others', async () => {
    const person = await ownerOfSafes(along);
    const [one, two, three] = [
      await install(person, 'safe_home'),
      await install(person, 'safe_work'),
      await install(person, 'safe_home'),
    ] as const;
    const grants = await Promise.all([one, two, three].map(({ memory }) => grantOf(memory)));
    expect([one, two, three].map(({ memory }) => clientIdOf(memory))).toEqual([documentUrl, documentUrl, documentUrl]);
    expect(new Set(grants).size).toBe(3);

    const { page, send } = await connectionsOf(person, grants);
    // What the person changes there, the MCP server knows at its next call; the other connections of the program do not change.
    const changed = await send('/connections/context', { csrf: page.hidden['csrf'] ?? '', grant: grants[0] ?? '', context: 'safe_work' });
    expect([changed.status, await selectedBy(one.agent), await selectedBy(three.agent)]).toEqual([200, 'safe_work', 'safe_home']);

    expect((await send('/connections', { csrf: page.hidden['csrf'] ?? '', grant: grants[1] ?? '' })).status).toBe(200);
    const refused = await two.agent.call('along_list_safes').catch((error: unknown) => error);
    expect([two.agent.isUnauthorized(refused), two.memory.sentTo.length]).toEqual([true, 2]);
    for (const { agent, memory } of [one, three]) {
      expect(await selectedBy(agent)).toMatch(/^safe_/);
      await endAccess(memory);
      expect([await selectedBy(agent), memory.sentTo.length]).toEqual([expect.stringMatching(/^safe_/), 1]);
    }
    for (const { agent } of [one, two, three]) await agent.close();
  });
});
