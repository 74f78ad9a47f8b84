import { spawn } from 'node:child_process';
import { createFormBrowser, decideAs } from '@grantlog/cli';

/** What a program said, and how it ended. */
export type Said = { readonly out: string; readonly err: string; readonly code: number | null };

/**
 * Runs a program that sends its person to an authorization endpoint by printing a URL, plays the person in a browser of theirs,
 * and leads the browser back to where the program listens.
 *
 * @throws Error with everything that it said, when it has not ended after `seconds`.
 */
export const runWithPerson = async (program: {
  readonly script: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly issuer: string;
  readonly person: { readonly email: string; readonly password: string };
  readonly seconds?: number;
}): Promise<Said> => {
  const { script, args, environment = {}, issuer, person, seconds = 60 } = program;
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  const asked = new Set<string>();
  const failures: unknown[] = [];
  const look = (): void => {
    for (const url of `${out}\n${err}`.match(/https?:\/\/\S+(?=\s)/g) ?? []) {
      if (!url.startsWith(`${issuer}/oauth/authorize?`) || asked.has(url)) continue;
      asked.add(url);
      decideAs(createFormBrowser(), url, { ...person, decision: 'allow' })
        .then((back) => fetch(back))
        .catch((error: unknown) => failures.push(error));
    }
  };
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    look();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    look();
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${script} did not end within ${seconds} s. It said: ${out}${err} ${failures.map(String).join()}`));
    }, seconds * 1_000);
    child.on('close', (ended) => {
      clearTimeout(late);
      resolve(ended);
    });
  });
  if (failures.length > 0) throw failures[0];
  return { out, err, code };
};
