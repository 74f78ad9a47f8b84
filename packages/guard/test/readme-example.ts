import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, vi } from 'vitest';

const home = fileURLToPath(new URL('..', import.meta.url));

/** The examples of the README, in their order. */
export const examples: readonly string[] = [...readFileSync(`${home}/README.md`, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)].map(
  ([, block = '']) => block,
);

const freePort = async (): Promise<number> => {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
};

/** Runs a server of the README as it stands there, and waits until it answers an empty request with this status. */
export const startExample = async (code: string, env: Readonly<Record<string, string>>, status: number) => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const output = { out: '', err: '' };
  const { PATH } = process.env;
  const server = spawn(process.execPath, ['--input-type=module-typescript', '--eval', code], {
    cwd: home,
    env: { PATH, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  server.stdout.on('data', (chunk: Buffer) => {
    output.out += chunk.toString();
  });
  server.stderr.on('data', (chunk: Buffer) => {
    output.err += chunk.toString();
  });
  await vi
    .waitFor(
      async () => {
        expect(server.exitCode, output.err).toBeNull();
        expect((await fetch(url)).status).toBe(status);
      },
      { timeout: 10_000 },
    )
    .catch((error: unknown) => {
      server.kill();
      throw error;
    });
  return {
    url,
    /** What it has written since it was last forgotten. */
    output,
    forget: (): void => {
      output.out = '';
      output.err = '';
    },
    stop: (): void => void server.kill(),
  };
};

export type Example = Awaited<ReturnType<typeof startExample>>;
