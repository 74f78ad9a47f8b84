import { Problem } from '../problem.ts';
import { checkPort } from '../processes/free-port.ts';
import { describePortOwner } from './port-owner.ts';

/** A port that a service is about to listen on, and the variable that chooses it. */
export type WantedPort = { readonly setting: string; readonly what: string; readonly port: number; readonly host: string };

/**
 * Makes sure that every port is free before anything is started.
 *
 * @throws Problem with all that are not, the settings that choose them, and who has them
 */
export const checkPorts = async (wanted: readonly WantedPort[]): Promise<void> => {
  const trouble: string[] = [];
  const settings = new Set<string>();
  for (const { setting, what, port, host } of wanted) {
    const state = await checkPort(port, host);
    if (state === 'free') continue;
    if (state === 'not our address') {
      throw new Problem(
        `This machine cannot listen on ${host} (HOST).`,
        'set HOST to an address of this machine, such as 127.0.0.1 or 0.0.0.0.',
      );
    }
    const owner = state === 'in use' ? describePortOwner(port) : null;
    const why = state === 'in use' ? `is in use${owner === null ? '' : ` by ${owner}`}` : 'may not be listened on';
    trouble.push(`Port ${port} on ${host} (${setting}, for ${what}) ${why}.`);
    settings.add(setting);
  }
  if (trouble.length === 0) return;
  const first = [...settings].map((setting) => `${setting}=${freeExample[setting] ?? '<port>'}`).join(' ');
  throw new Problem(trouble.join('\n'), `stop what listens there, or choose other ports: ${first} npx -y pnpm@12 start`);
};

const freeExample: Readonly<Record<string, string>> = { PORT: '4100', OPS_PORT: '4101' };
