import { once } from 'node:events';
import { readyPort, startAuthorizationServer, startExampleResource } from './example-resource-processes.ts';

type Headers = Readonly<Record<string, string>>;

/** The headers of a request for JSON. */
export const json = { accept: 'application/json' };

/** What a refusal says to people. */
export const described = async (response: Response): Promise<string> =>
  ((await response.json()) as { error_description: string }).error_description;

/** The process of the example resource, the authorization server that it trusts, and what clients ask of it. */
export const openExampleResource = async () => {
  const server = await startAuthorizationServer();
  const child = startExampleResource(server.environment);
  const url = `http://127.0.0.1:${await readyPort(child)}`;

  return {
    server,
    url,
    get: (path: string, token?: string, headers: Headers = {}): Promise<Response> =>
      fetch(url + path, { headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...headers } }),
    put: (path: string, token: string, body: string | Uint8Array, headers: Headers = {}): Promise<Response> =>
      fetch(url + path, {
        method: 'PUT',
        body: body as string,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...json, ...headers },
      }),
    stop: async (): Promise<void> => {
      server.stop();
      if (child.exitCode !== null) return;
      child.kill();
      await once(child, 'exit');
    },
  };
};

export type ExampleResource = Awaited<ReturnType<typeof openExampleResource>>;
