import type { Demo } from '../seed/contract.ts';

/** What a person reads once everything is up: one URL, the credentials, the next three things to try. */
export const summarise = (task: {
  readonly url: string;
  readonly demo: Demo | null;
  readonly demoPath: string;
  readonly logs: string;
}): string => {
  const { url, demo } = task;
  const resource = demo?.platforms['arlo']?.resource;
  const agents = demo?.platforms['arlo-health']?.issuer;
  return [
    '',
    `Grantlog is running at ${url}`,
    '',
    ...(demo === null ? [] : credentials(demo, task.demoPath)),
    'Three things to try:',
    `  1. open ${url}: what runs here${resource === undefined ? '' : `; or ${resource}/events/, which asks for arlo's credentials`}`,
    '  2. npx -y pnpm@12 demo: the whole life of a grant, step by step (in another terminal)',
    ...(agents === undefined
      ? ['  3. npx -y pnpm@12 grantlog audit grant <id>: the timeline of the grant that the demo names']
      : [
          '     npx -y pnpm@12 grantlog audit grant <id>: its timeline in the log; the demo names the id',
          `  3. point an MCP client at ${agents}/mcp: init_signup signs you up, and needs no token`,
        ]),
    '',
    `Logs are in ${task.logs}. ^C stops everything; npx -y pnpm@12 reset begins again.`,
  ].join('\n');
};

const credentials = (demo: Demo, path: string): readonly string[] => {
  const rows = [
    { where: 'operator', ...demo.operator, at: '' },
    ...Object.entries(demo.platforms).flatMap(([name, { account, presenter, issuer }]) => [
      { where: name, ...account, at: issuer },
      ...(presenter === undefined
        ? []
        : [{ where: `${name}, presenter`, email: presenter.email, password: presenter.password, at: issuer }]),
    ]),
  ];
  const width = (pick: (row: (typeof rows)[number]) => string): number => Math.max(...rows.map((row) => pick(row).length));
  const [where, email, password] = [width((row) => row.where), width((row) => row.email), width((row) => row.password)];
  return [
    'Sign in with',
    ...rows.map((row) => `  ${row.where.padEnd(where)}  ${row.email.padEnd(email)}  ${row.password.padEnd(password)}  ${row.at}`.trimEnd()),
    `Client ids and secrets are in ${path}`,
    '',
  ];
};
