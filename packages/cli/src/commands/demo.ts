import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Command, CommandIo } from '../command.ts';
import { createNarrator } from '../demo/narrator.ts';
import { tellStory } from '../demo/story.ts';
import { findRunning } from '../launcher/running.ts';
import { checkout, statePaths } from '../launcher/state-directory.ts';
import { Problem } from '../problem.ts';
import { findFreePort } from '../processes/free-port.ts';
import type { Demo } from '../seed/contract.ts';
import { readDemo } from '../seed/demo-file.ts';

type Target = { readonly demo: Demo; readonly dataDir: string; readonly stop: () => Promise<void> };

const dataDirOf = (io: CommandIo): string => io.environment['DATA_DIR'] ?? join(checkout, '.grantlog');

/** The server that already runs here, if one does. */
const findTarget = async (io: CommandIo): Promise<Target | null> => {
  const dataDir = dataDirOf(io);
  const paths = statePaths(dataDir);
  if ((await findRunning(paths)) === null) return null;
  const demo = await readDemo(paths.demo);
  return demo === null ? null : { demo, dataDir, stop: async () => {} };
};

/** Starts a server of the demo's own in a folder of its own, and stops it afterwards. */
const startTarget = async (io: CommandIo): Promise<Target> => {
  io.note('No server runs here; starting one for the demo.');
  const dataDir = await mkdtemp(join(tmpdir(), 'grantlog-demo-'));
  const port = await findFreePort();
  const child = spawn(process.execPath, [join(checkout, 'packages/cli/src/main.ts'), 'start'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...io.environment,
      DATA_DIR: dataDir,
      PORT: String(port),
      OPS_PORT: String(await findFreePort()),
      PUBLIC_URL: `http://localhost:${port}`,
    },
  });
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
    await rm(dataDir, { recursive: true, force: true });
  };
  const paths = statePaths(dataDir);
  for (let waited = 0; waited < 120_000; waited += 200) {
    if (child.exitCode !== null) break;
    const demo = (await findRunning(paths)) === null ? null : await readDemo(paths.demo);
    if (demo !== null) return { demo, dataDir, stop };
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await stop();
  throw new Problem('The demo could not start a server', 'Run start by itself and read what it says');
};

/** `grantlog demo`. */
export const demoCommand: Command = {
  name: 'demo',
  summary: "play an agent's whole life against the server here, step by step",
  usage: `grantlog demo [--platform <name>]

Discovery, sign-in and consent, code, tokens, userinfo, refresh, webhooks, revocation, refusal: each step is printed with
what went over the wire, secrets shortened. Runs against the server that start has up, else against one of its own.
Exits with 1 at the first deviation. The platform is arlo-health unless named.`,
  run: async (argv, io) => {
    const { values } = parseArgs({ args: [...argv], options: { platform: { type: 'string', default: 'arlo-health' } } });
    const target = (await findTarget(io)) ?? (await startTarget(io));
    try {
      io.out(`An agent's life on ${target.demo.platforms[values.platform]?.issuer ?? values.platform}`);
      const grantId = await tellStory(target.demo, values.platform, createNarrator(io.out));
      io.out('');
      io.out(`Everything held. Its story in the log: npx -y pnpm@12 grantlog audit grant ${grantId}`);
      return 0;
    } catch (error) {
      if (error instanceof Problem) throw error;
      io.note(`The demo met a deviation: ${error instanceof Error ? error.message : String(error)}`);
      return 1;
    } finally {
      await target.stop();
    }
  },
};
