import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../example-resources/src/main.ts', import.meta.url));
const presenterAccount = 'account-of-paula';

/** What the authorization server knows: each token and its account, which also comes by Basic under the token's name. */
const accounts: Readonly<Record<string, { readonly sub: string; readonly scope: string; readonly roles: readonly string[] }>> = {
  administrator: { sub: 'ada', scope: 'openid read write', roles: ['api_user', 'administrator'] },
  reader: { sub: 'ada', scope: 'openid read', roles: ['api_user', 'administrator'] },
  presenter: { sub: presenterAccount, scope: 'read write', roles: ['api_user', 'presenter'] },
  stranger: { sub: 'somebody', scope: 'read', roles: ['api_user', 'presenter'] },
  user: { sub: presenterAccount, scope: 'read', roles: ['api_user'] },
  retired: { sub: presenterAccount, scope: 'read', roles: ['presenter'] },
  lonely: { sub: 'somebody', scope: 'read', roles: ['administrator'] },
  nobody: { sub: 'somebody', scope: 'read', roles: [] },
};

/** An authorization server of a few known tokens, for a resource that has no other. */
export const startAuthorizationServer = async () => {
  let lastForm = new URLSearchParams();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    lastForm = new URLSearchParams(body);
    const answer = judge(request.url ?? '', lastForm);
    if (answer === null) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/arlo`;
  const resource = `${issuer}/api/2012-02-01/auth/resources`;

  const judge = (path: string, form: URLSearchParams): Readonly<Record<string, unknown>> | null => {
    if (path === '/.well-known/oauth-authorization-server/arlo') {
      const introspection_endpoint = `${issuer}/introspect`;
      return { issuer, introspection_endpoint, basic_validation_endpoint: `${issuer}/basic`, challenge_compatibility: 'arlo' };
    }
    const common = { active: true, iss: issuer, aud: resource };
    const account = accounts[form.get('token') ?? form.get('username') ?? ''];
    if (path === '/arlo/introspect') {
      if (account === undefined) return { active: false };
      return { ...common, ...account, token_type: 'Bearer', exp: Date.now() / 1000 + 60, client_id: 'app' };
    }
    if (path !== '/arlo/basic') return null;
    if (account === undefined) return { active: false, reason: 'invalid_credentials', description: 'Wrong user name or password' };
    const notice = { limit: 1000, remaining: 7, sunset: 1_803_000_000 };
    return { ...common, sub: account.sub, roles: account.roles, account_kind: 'person', notice };
  };

  return {
    issuer,
    resource,
    /** What was sent last. */
    lastForm: () => lastForm,
    /** The environment of a resource that trusts this server. */
    environment: {
      PORT: '0',
      ISSUER: issuer,
      RESOURCE: resource,
      CLIENT_ID: 'resources',
      CLIENT_SECRET: 'a-secret',
      PRESENTER: presenterAccount,
    },
    stop: (): void => {
      server.closeAllConnections();
      server.close();
    },
  };
};

/** Starts the process of the example resource with nothing but this environment. */
export const startExampleResource = (env: Readonly<Record<string, string>>): ChildProcess =>
  spawn(process.execPath, [main], { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });

/** The port that the process says it listens on, once it is ready. */
export const readyPort = async (child: ChildProcess): Promise<number> => {
  if (child.stdout === null) throw new Error('the process has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { readonly msg: string; readonly port: number };
    if (said.msg === 'ready') return said.port;
  }
  throw new Error('the process ended before it was ready');
};
