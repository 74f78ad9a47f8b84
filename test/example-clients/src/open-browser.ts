import { spawn } from 'node:child_process';

const openers: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Opens the person's own browser: a window of our own would see what they type (RFC 8252 §8.12). Where there is none, the printed URL serves. */
export const openBrowser = (url: string): void => {
  const [program, ...before] = openers[process.platform] ?? ['xdg-open'];
  const child = spawn(program, [...before, url], { stdio: 'ignore', detached: true });
  child.once('error', () => {}); // the URL has been printed
  child.unref();
};
