import { callResource, type Outcome } from './call-resource.ts';
import type { CommandName, Config } from './config.ts';
import { Failure } from './failure.ts';
import type { Session } from './session.ts';
import type { KeptTokens } from './token-file.ts';

/** Where a command says things: `out` is its result, `tell` is for people. */
export type Terminal = { readonly out: (line: string) => void; readonly tell: (line: string) => void };
type Context = { readonly config: Config; readonly session: Session; readonly terminal: Terminal };

const show = (outcome: Extract<Outcome, { kind: 'answered' }>): string => {
  try {
    return JSON.stringify(JSON.parse(outcome.body), null, 2);
  } catch {
    return outcome.body;
  }
};

const finish = (outcome: Outcome, tokens: KeptTokens, { config, terminal }: Context): void => {
  switch (outcome.kind) {
    case 'answered':
      terminal.out(show(outcome));
      return;
    case 'token_refused':
      throw new Failure(
        `${config.url.href} refuses a token that was made a moment ago (${outcome.error})`,
        'check that --resource is the identifier of this API',
      );
    case 'insufficient_scope': {
      const wanted = [...new Set([...tokens.scope.split(' '), ...(outcome.scope ?? '').split(' ')])]
        .filter((each) => each !== '')
        .join(' ');
      throw new Failure(
        `This access does not reach so far: it needs ${outcome.scope ?? 'another scope'}, and has ${tokens.scope}`,
        `ask the person for it: example login --scope '${wanted}'. If they had it, their role does not allow it`,
        3,
      );
    }
    case 'refused':
      throw new Failure(
        `${config.url.href} answered ${outcome.status}: ${outcome.reason}`,
        'read the reason; another token would not help',
      );
  }
};

const call = async (context: Context): Promise<void> => {
  const { config, session } = context;
  // Whatever the clock says: the API alone knows whether the token counts, and asking it is the cheapest way to learn it.
  let tokens = await session.tokens();
  let outcome = await callResource(config, tokens.accessToken);
  if (outcome.kind === 'token_refused') {
    tokens = await session.tokensAfter(tokens);
    outcome = await callResource(config, tokens.accessToken);
  }
  finish(outcome, tokens, context);
};

const describe = (tokens: KeptTokens, config: Config): readonly string[] => {
  const left = tokens.expiresAt === null ? null : tokens.expiresAt - Math.floor(Date.now() / 1_000);
  const expiry =
    left === null
      ? 'unknown'
      : `${new Date((tokens.expiresAt ?? 0) * 1_000).toISOString()} (${left > 0 ? `in ${left} s` : 'past; the next call refreshes if the API asks for it'})`;
  return [
    `issuer         ${tokens.issuer}`,
    `client id      ${tokens.clientId}`,
    `scopes         ${tokens.scope}`,
    `access token   expires ${expiry}`,
    `refresh token  ${tokens.refreshToken === null ? 'none' : 'kept'}`,
    `file           ${config.tokenFile}`,
  ];
};

const tellStatus = async ({ config, session, terminal }: Context): Promise<void> => {
  const tokens = await session.kept();
  if (tokens === null) terminal.out(`No tokens are kept in ${config.tokenFile}.`);
  else for (const line of describe(tokens, config)) terminal.out(line);
};

/** What each command does; each throws a {@link Failure} where it cannot. */
export const commands: Readonly<Record<CommandName, (context: Context) => Promise<void>>> = {
  call,
  login: async ({ config, session, terminal }) => {
    for (const line of describe(await session.login(), config)) terminal.out(line);
  },
  refresh: async ({ config, session, terminal }) => {
    for (const line of describe(await session.refresh(), config)) terminal.out(line);
  },
  revoke: async ({ session, terminal }) => {
    terminal.out(
      (await session.revoke()) ? 'The access has ended at the server, and the tokens are removed.' : 'There was nothing to revoke.',
    );
  },
  status: tellStatus,
};
