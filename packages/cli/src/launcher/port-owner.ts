import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Who listens on a TCP port, in words (`process 4711, nginx`), as far as the system lets us see; else `null`. Linux only. */
export const describePortOwner = (port: number): string | null => {
  const inodes = listeningInodes(port);
  if (inodes.size === 0) return null;
  for (const entry of list('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const holds = list(`/proc/${entry}/fd`).some((fd) => inodes.has(link(`/proc/${entry}/fd/${fd}`)));
    if (holds) return `process ${entry}, ${read(`/proc/${entry}/comm`).trim()}`;
  }
  return null;
};

/** proc(5), net/tcp: the local address is `hex:port`, state 0A is listening, the tenth column the socket's inode. */
const listeningInodes = (port: number): ReadonlySet<string> => {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const rows = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => read(path).split('\n').slice(1));
  const inodes = rows.flatMap((row) => {
    const columns = row.trim().split(/\s+/);
    return columns[1]?.endsWith(`:${wanted}`) === true && columns[3] === '0A' ? [`socket:[${columns[9]}]`] : [];
  });
  return new Set(inodes);
};

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const list = (path: string): readonly string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

const link = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};
