import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFormBrowser, type PageVisit } from '@grantlog/cli';
import { basic, post } from '../../../support/agent.ts';
import { type Deployment, startDeployment } from '../../../support/deployment.ts';
import { openWorkbench, type TestAccount } from '../../../support/workbench.ts';
import { type Door, doorsOf } from './doors.ts';

export const platform = 'arlo-health';
export const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code';

export type Tokens = {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
  readonly expires_in: number;
  readonly scope: string;
};

/** What `init_signup` returned, as agents read it. */
export type Begun = {
  readonly authUrl: string;
  readonly sessionId: string;
  readonly expiresIn: number;
  readonly number: number;
  readonly clientId: string;
  readonly webhook?: { readonly sessionKey: string; readonly signingSecret?: string; readonly publicKey?: string };
};

/** What a page says to people. */
export const wordsOf = (page: { readonly html: string }): string =>
  page.html
    .replaceAll(/<style[\s\S]*?<\/style>|<[^>]+>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** The numbers that a page offers. */
export const numbersOf = (page: { readonly html: string }): readonly number[] =>
  [...page.html.matchAll(/name="number" value="(\d{2})"/g)].map(([, number]) => Number(number));

/** A person and their browser, who sees and does what pages allow. */
export const createPerson = (account: TestAccount) => {
  const browser = createFormBrowser();
  const settle = async (page: PageVisit & { readonly location: string | null }) =>
    page.location === null ? page : browser.open(page.location);

  /** The page that asks, or says why nobody is asked; signing in on the way. */
  const open = async (url: string) => {
    const page = await settle(await browser.open(url));
    if (page.form?.inputs.includes('password') !== true) return page;
    return settle(await browser.submit(page, { email: account.email, password: account.password }));
  };
  return {
    account,
    browser,
    open,
    /** Opens a link and chooses a number. */
    choose: async (authUrl: string, number: number) => browser.submit(await open(authUrl), { number: String(number) }),
    deny: async (authUrl: string) => browser.submit(await open(authUrl), { decision: 'deny' }),
    /** Ends the connection that is there. */
    endConnection: async (issuer: string) => browser.submit(await open(`${issuer}/connections`), {}),
  };
};

export type Person = ReturnType<typeof createPerson>;

/** The platform of the document with two API processes and a worker, people who have accounts, and every door to it. */
export const startArloHealth = async (databaseUrl: string, options: { readonly workers?: number } = {}) => {
  const deployment: Deployment = await startDeployment({ databaseUrl, apis: 2, workers: options.workers ?? 1 });
  const bench = openWorkbench(deployment);
  const issuer = `${deployment.publicUrl}/${platform}`;
  const doors = doorsOf(issuer);

  const redeem = (begun: Pick<Begun, 'sessionId'>, change: Readonly<Record<string, string>> = {}) =>
    post(`${issuer}/oauth/token`, { grant_type: deviceCode, device_code: begun.sessionId, client_id: 'unidentified-agent', ...change });

  return {
    deployment,
    bench,
    issuer,
    /** The issuer as another process of the same server has it. */
    elsewhere: `${deployment.apis[1]?.url}/${platform}`,
    door: (name: string): Door => {
      const found = doors.find((door) => door.name === name);
      if (found === undefined) throw new Error(`there is no door ${name}`);
      return found;
    },
    person: async (displayName: string): Promise<Person> => createPerson(await bench.account(platform, { displayName })),
    redeem,
    refresh: (token: string, change: Readonly<Record<string, string>> = {}) =>
      post(`${issuer}/oauth/token`, { grant_type: 'refresh_token', refresh_token: token, client_id: 'unidentified-agent', ...change }),
    revoke: (token: string) => post(`${issuer}/oauth/revoke`, { token, client_id: 'unidentified-agent' }),
    /** Calls the management API as the operator. */
    operator: async () => {
      const { client } = deployment.demo.operator;
      const form = { grant_type: 'client_credentials', scope: 'manage' };
      const token = await post(`${deployment.publicUrl}/system/oauth/token`, form, { authorization: basic(client) });
      return {
        call: async (method: 'GET' | 'POST', path: string): Promise<Readonly<Record<string, unknown>>> => {
          const headers = { authorization: `Bearer ${String(token.body['access_token'])}` };
          const answer = await fetch(`${deployment.publicUrl}${path}`, { method, headers });
          if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${await answer.text()}`);
          return (await answer.json()) as Record<string, unknown>;
        },
      };
    },
    /** Begins a sign-up through a door. @throws Error where it is refused. */
    begin: async (door: Door, input: Readonly<Record<string, unknown>> = {}): Promise<Begun> => {
      const begun = await door.call('init_signup', { baseUrl: `${issuer}/mcp`, ...input });
      if (!begun.ok) throw new Error(`init_signup was refused: ${JSON.stringify(begun.body)}`);
      return begun.body as unknown as Begun; // as its output schema says
    },
    /** Tokens of an agent whose person has chosen the right number. */
    connect: async (person: Person, begun: Begun, change: Readonly<Record<string, string>> = {}): Promise<Tokens> => {
      await person.choose(begun.authUrl, begun.number);
      const answer = await redeem(begun, change);
      if (answer.status !== 200) throw new Error(`the redemption was refused: ${JSON.stringify(answer.body)}`);
      return answer.body as unknown as Tokens;
    },
    /** The document of the platform as its file has it, with something changed. */
    configure: async (change: object): Promise<void> => {
      const text = await readFile(join(import.meta.dirname, '..', '..', '..', '..', 'infra', 'platforms', `${platform}.json`), 'utf8');
      await bench.configure(platform, { ...(JSON.parse(text.replaceAll('{issuer}', issuer)) as object), ...change });
    },
    stop: async () => {
      await bench.close();
      await deployment.stop();
    },
  };
};

export type ArloHealth = Awaited<ReturnType<typeof startArloHealth>>;
