import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { mcpClients } from '../../../support/mcp-clients.ts';

export type Outcome = { readonly ok: boolean; readonly body: Readonly<Record<string, unknown>> };

export type Operation = 'init_signup' | 'check_account_status' | 'register_webhook' | 'get_webhook_status';

/** One of the ways by which an agent does the same things. */
export type Door = {
  readonly name: string;
  readonly call: (operation: Operation, input?: Readonly<Record<string, unknown>>, token?: string) => Promise<Outcome>;
};

type Reply = { readonly status: number; readonly headers: string; readonly body: string };

const run = promisify(execFile);

/** Runs `curl` as a developer would paste it. */
export const curl = async (...rest: readonly string[]): Promise<Reply> => {
  const { stdout } = await run('curl', ['--silent', '--show-error', '--include', ...rest]);
  const [head = '', ...body] = stdout.replaceAll('\r\n', '\n').split('\n\n');
  return { status: Number(/^HTTP\/[\d.]+ (\d{3})/.exec(head)?.[1]), headers: head, body: body.join('\n\n') };
};

const sending = (input: object): readonly string[] => ['-H', 'Content-Type: application/json', '--data', JSON.stringify(input)];

type Twin = (input: Readonly<Record<string, unknown>>) => readonly [path: string, ...rest: string[]];

/** Every operation's twin under `/rest`. */
const twins: Readonly<Record<Operation, Twin>> = {
  init_signup: (input) => ['/rest/signup', ...sending(input)],
  check_account_status: (input) => ('sessionId' in input ? ['/rest/signup/status', ...sending(input)] : ['/rest/account-status']),
  register_webhook: (input) => ['/rest/webhook', ...sending(input)],
  get_webhook_status: ({ sessionKey }) => [
    `/rest/webhook${sessionKey === undefined ? '' : `?sessionKey=${encodeURIComponent(String(sessionKey))}`}`,
  ],
};

const overRest = (issuer: string): Door => ({
  name: 'curl over REST',
  call: async (operation, input = {}, token) => {
    const [path, ...rest] = twins[operation](input);
    const bearer = token === undefined ? [] : ['-H', `Authorization: Bearer ${token}`];
    const { status, body } = await curl(...bearer, ...rest, `${issuer}${path}`);
    return { ok: status < 300, body: JSON.parse(body) as Outcome['body'] };
  },
});

const overMcp = (issuer: string, { name, connect }: (typeof mcpClients)[number]): Door => ({
  name,
  call: async (operation, input = {}, token) => {
    const agent = await connect({ url: `${issuer}/mcp`, ...(token === undefined ? {} : { token }) });
    try {
      // From here on the clients hold every result against its output schema.
      await agent.tools();
      const { isError, structuredContent } = await agent.call(operation, input);
      return { ok: isError !== true, body: structuredContent ?? {} };
    } finally {
      await agent.close();
    }
  },
});

/** What `test.each` names its tests by. */
export const doorNames = [...mcpClients.map(({ name }) => name), 'curl over REST'];

/** The doors of a platform: unmodified MCP clients of both generations, and curl. */
export const doorsOf = (issuer: string): readonly Door[] => [...mcpClients.map((client) => overMcp(issuer, client)), overRest(issuer)];
