import { randomUuid } from '@grantlog/crypto';
import { parsePlatformDocument } from '@grantlog/domain';
import { createDatabase, migrate } from '@grantlog/postgres';
import { configurePlatform } from '@grantlog/provisioning';
import { createLogger } from '@grantlog/runtime';
import type { InjectOptions, RouteOptions } from 'fastify';
import { expect } from 'vitest';
import { createApp } from '../../../src/app.ts';
import { compose } from '../../../src/compose.ts';
import { testConfig } from '../../support/config.ts';

export type Route = { readonly method: string; readonly url: string; readonly config: NonNullable<RouteOptions['config']> };

/** A path of a route on a platform, its other parameters filled with what nobody has. */
export const pathOf = (route: Route, platform = 'acme'): string =>
  route.url
    .replace(':platform', platform)
    .replaceAll(/:[A-Za-z]+/g, 'unknown')
    .replace('*', 'x');
/** Whether a route's pattern takes a path; what is passed on takes whatever is left, so it does not count. */
export const takes = ({ url, config }: Route, path: string): boolean => {
  const pattern = url.replaceAll('.', '\\.').replaceAll(/:[A-Za-z]+/g, '[^/]+');
  return config.authentication !== 'upstream' && new RegExp(`^${pattern.replace('*', '.*')}$`).test(path);
};
export const form = (fields: Readonly<Record<string, string>>): Pick<InjectOptions, 'headers' | 'payload'> => ({
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  payload: String(new URLSearchParams(fields)),
});
export const name = ({ method, url }: Route): string => `${method} ${url}`;
/** Each route's answer by its name, so that one comparison shows every route that is different. */
export const answers = async <Answer>(
  asked: readonly Route[],
  work: (route: Route) => Promise<Answer>,
): Promise<Readonly<Record<string, Answer>>> =>
  Object.fromEntries(await Promise.all(asked.map(async (route) => [name(route), await work(route)] as const)));
export const all = <Answer>(asked: readonly Route[], answer: Answer): Readonly<Record<string, Answer>> => {
  expect(asked.length).toBeGreaterThan(0);
  return Object.fromEntries(asked.map((route) => [name(route), answer]));
};

/** A server with the platform acme, the list of all its routes, and its log lines. */
export const openRouteWorld = async (databaseUrl: string) => {
  const url = await createDatabase({ connectionString: databaseUrl, name: `routes_${randomUuid().replaceAll('-', '')}` });
  await migrate({ connectionString: url });
  const lines: string[] = [];
  const logger = createLogger({ service: 'api', level: 'debug', destination: { write: (line: string) => void lines.push(line) } });
  const deps = await compose(testConfig(url), logger);
  const parsed = parsePlatformDocument({
    name: 'acme',
    displayName: 'Acme',
    scopes: [{ name: 'read', description: 'Read' }],
    resources: [{ uri: 'http://localhost:4000/acme/api', name: 'API', scopes: ['read'] }],
    switches: { connectPaths: true, basicForExploration: true },
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  await configurePlatform(deps.provisioning, { actor: { kind: 'system', id: 'test' }, correlationId: 'test' }, parsed.document);
  const routes: Route[] = [];
  const onRoute = ({ method, url, config }: RouteOptions): void => {
    for (const each of [method].flat()) routes.push({ method: each, url, config: config ?? {} });
  };
  const app = await createApp({ ...deps, logger, onRoute });
  await app.ready();

  return {
    routes: routes as readonly Route[],
    lines: lines as readonly string[],
    ask: async (options: InjectOptions) => {
      const response = await app.inject(options);
      return {
        status: response.statusCode,
        type: String(response.headers['content-type'] ?? ''),
        headers: response.headers,
        text: response.body,
      };
    },
    ofAuthentication: (...kinds: readonly string[]): readonly Route[] =>
      routes.filter(({ method, config }) => kinds.includes(config.authentication ?? '') && method !== 'HEAD' && method !== 'OPTIONS'),
    close: async (): Promise<void> => {
      await app.close();
      await deps.stop();
    },
  };
};

export type RouteWorld = Awaited<ReturnType<typeof openRouteWorld>>;
