import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dispatch } from '../../src/command.ts';
import { auditCommand } from '../../src/commands/audit.ts';

/** A request that the server below was asked. */
type Asked = {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | null;
  readonly body: Readonly<Record<string, unknown>>;
};
type Answer = (asked: Asked, response: ServerResponse) => void;

export const json =
  (status: number, body: object): Answer =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const readBody = async (request: IncomingMessage): Promise<Asked['body']> => {
  const text = (await request.toArray()).join('');
  return text === '' ? {} : (JSON.parse(text) as Asked['body']);
};

/** A server that answers as a test says, and keeps what it was asked. */
export const fakeAudit = async () => {
  const asked: Asked[] = [];
  let answer: Answer = json(500, {});
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const now = { method, url, authorization: headers.authorization ?? null, body: await readBody(request) };
    asked.push(now);
    answer(now, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}/along`,
    answers: (next: Answer): void => {
      answer = next;
      asked.length = 0;
    },
    asked: asked as readonly Asked[],
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** Runs `grantlog audit` in this process. `drained` is asked for room for more results. */
export const runAudit = async (
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  drained: () => Promise<void> = async () => {},
) => {
  const lines: string[] = [];
  const notes: string[] = [];
  const code = await dispatch([auditCommand], ['audit', ...argv], {
    environment,
    drained,
    out: (line) => lines.push(line),
    note: (line) => notes.push(line),
  });
  return { code, lines, out: lines.join('\n'), notes: notes.join('\n') };
};
