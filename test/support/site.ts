import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Authority } from './certificates.ts';

type Answer = (request: IncomingMessage, reply: ServerResponse) => void;

export type Site = {
  /** `https://localhost:port`, without a trailing slash. */
  readonly origin: string;
  /** As an exception names it. */
  readonly destination: string;
  /** Paths asked for so far, in order. */
  readonly asked: readonly string[];
  readonly answer: (path: string, how: Answer) => void;
  /** Serves a client's document at the path, its `client_id` being the URL; returns the URL. */
  readonly describe: (path: string, document: object, headers?: Readonly<Record<string, string>>) => string;
  /** From here on, nobody answers. */
  readonly goDown: () => Promise<void>;
};

/** A website with https by an authority of the test's own. */
export const openSite = async (authority: Authority): Promise<Site> => {
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  const server = createServer({ ...authority.issue(['localhost', '127.0.0.1']) }, (request, reply) => {
    const path = request.url ?? '';
    asked.push(path);
    const answer = answers.get(path);
    if (answer === undefined) reply.writeHead(404).end();
    else answer(request, reply);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `https://localhost:${port}`;
  const answer: Site['answer'] = (path, how) => void answers.set(path, how);
  return {
    origin,
    destination: `localhost:${port}`,
    asked,
    answer,
    describe: (path, document, headers = {}) => {
      const url = `${origin}${path}`;
      answer(path, (_request, reply) =>
        reply.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify({ client_id: url, ...document })),
      );
      return url;
    },
    goDown: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
