import * as oauth from 'oauth4webapi';
import { authorize, keep } from './authorize.ts';
import { type Config, folderOf } from './config.ts';
import { Failure } from './failure.ts';
import { withLock } from './lock.ts';
import { discover, type Server } from './server.ts';
import { type KeptTokens, makeFolder, readTokens, removeTokens, saveTokens } from './token-file.ts';

/** Whoever waits for a person waits as long as the person may take. */
const signInMs = 11 * 60_000;

/** The tokens of one client of one person, in a file that several runs share. `tell` is for what people should know. */
export const openSession = (config: Config, tell: (line: string) => void) => {
  let discovered: Promise<Server> | null = null;
  const server = (): Promise<Server> => {
    discovered ??= discover(config);
    return discovered;
  };

  const exclusively = async <Result>(work: (kept: KeptTokens | null) => Promise<Result>): Promise<Result> => {
    await makeFolder(folderOf(config));
    // Read again under the lock: another run may have done the work meanwhile.
    return withLock(`${config.tokenFile}.lock`, async () => work(await readTokens(config)), signInMs);
  };

  const ask = async (): Promise<KeptTokens> => {
    const tokens = await authorize(config, await server(), tell);
    await saveTokens(config.tokenFile, tokens);
    tell(`The tokens are in ${config.tokenFile}, which only you can read.`);
    return tokens;
  };

  const revokeAt = async ({ metadata, client, authentication, request }: Server, kept: KeptTokens): Promise<void> => {
    // The refresh token takes its whole grant with it, the access token itself alone (RFC 7009 §2.1).
    const [token, hint] = kept.refreshToken === null ? [kept.accessToken, 'access_token'] : [kept.refreshToken, 'refresh_token'];
    const response = await oauth.revocationRequest(metadata, client, authentication, token, {
      ...request,
      additionalParameters: { token_type_hint: hint },
    });
    await oauth.processRevocationResponse(response);
  };

  /** Null where the refresh token no longer counts; everything else that goes wrong leaves the file as it is. */
  const rotate = async (kept: KeptTokens, refreshToken: string): Promise<KeptTokens | null> => {
    const { metadata, client, authentication, request } = await server();
    try {
      const response = await oauth.refreshTokenGrantRequest(metadata, client, authentication, refreshToken, {
        ...request,
        additionalParameters: { resource: config.resource },
      });
      const tokens = keep(config, await oauth.processRefreshTokenResponse(metadata, client, response), kept);
      // Before its first use: the old refresh token is spent, and a crash from here on must not lose the new one.
      await saveTokens(config.tokenFile, tokens);
      tell('The access token was refreshed.');
      return tokens;
    } catch (error) {
      if (!(error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant')) throw error;
      await removeTokens(config.tokenFile);
      return null;
    }
  };

  return {
    kept: () => readTokens(config),

    /** The kept tokens, or those that the person gives now. */
    tokens: async (): Promise<KeptTokens> => (await readTokens(config)) ?? exclusively(async (kept) => kept ?? ask()),

    /** The tokens that come after those the API refused: another run's, refreshed ones, or the person's. */
    tokensAfter: (refused: KeptTokens): Promise<KeptTokens> =>
      exclusively(async (kept) => {
        if (kept !== null && kept.accessToken !== refused.accessToken) return kept;
        if (kept !== null && kept.refreshToken !== null) {
          const rotated = await rotate(kept, kept.refreshToken);
          if (rotated !== null) return rotated;
          tell('The access has ended at the server; the person has to be asked again.');
        }
        return ask();
      }),

    /** Asks the person, and ends what was given before once the new is kept: an access that nobody uses is only a risk. */
    login: (): Promise<KeptTokens> =>
      exclusively(async (kept) => {
        const tokens = await ask();
        if (kept !== null)
          await revokeAt(await server(), kept).catch(() => tell('The former access could not be revoked; it ends by itself.'));
        return tokens;
      }),

    /** @throws Failure where there is nothing to refresh, or the person must be asked. */
    refresh: (): Promise<KeptTokens> =>
      exclusively(async (kept) => {
        if (kept === null) throw new Failure('There are no tokens', 'run example login', 3);
        if (kept.refreshToken === null) throw new Failure('There is no refresh token', 'ask for offline_access: example login', 3);
        const rotated = await rotate(kept, kept.refreshToken);
        if (rotated === null) throw new Failure('The access has ended at the server', 'run example login', 3);
        return rotated;
      }),

    /** Ends the access at the server, then forgets the tokens: in this order, so that none is forgotten that still counts. */
    revoke: (): Promise<boolean> =>
      exclusively(async (kept) => {
        if (kept === null) return false;
        await revokeAt(await server(), kept);
        await removeTokens(config.tokenFile);
        return true;
      }),
  };
};

export type Session = ReturnType<typeof openSession>;
