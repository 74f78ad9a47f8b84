import { join } from 'node:path';
import { resetCommand } from '../../src/commands/reset.ts';
import { type Demo, dispatch } from '../../src/index.ts';
import { start } from '../../src/launcher/start.ts';

/** The launcher with everything real but the services and the seed. */
const demo: Demo = {
  url: process.env.PUBLIC_URL ?? '',
  operator: {
    email: 'operator@example.com',
    password: 'operator-password',
    client: { client_id: 'machine', client_secret: 'machine-secret' },
  },
  platforms: {
    arlo: {
      issuer: 'http://localhost/arlo',
      account: { email: 'person@example.com', password: 'person-password' },
      client: { client_id: 'web', client_secret: 'web-secret', redirect_uri: 'http://127.0.0.1/callback' },
      publicClient: { client_id: 'native', redirect_uri: 'http://127.0.0.1/callback' },
      presenter: { email: 'presenter@example.com', password: 'presenter-password', sub: 'presenter-sub' },
      resourceServer: { client_id: 'resources', client_secret: 'resources-secret' },
      resource: 'http://localhost/arlo/api',
    },
  },
};
const script = join(import.meta.dirname, 'fake-service.ts');
const examples = join(import.meta.dirname, 'fake-examples.ts');
const startFake = {
  name: 'start',
  summary: 'start with fake services',
  usage: 'start',
  run: async (_: readonly string[], io: Parameters<typeof start>[0]['io']): Promise<number> => {
    const { migrate } = await import('@grantlog/postgres');
    const examplesScript = process.env.FAKE_DIES === 'examples' ? join(import.meta.dirname, 'broken-examples.ts') : examples;
    return start({
      io,
      verbose: false,
      parts: { migrate, seed: async () => demo, apiScript: script, workerScript: script, examplesScript },
    });
  },
};
const code = await dispatch([startFake, resetCommand], process.argv.slice(2), {
  environment: { ...process.env },
  out: (line) => console.log(line),
  note: (line) => console.error(line),
});
process.exit(code);
