import type { Deps } from '../deps.ts';
import { authorizationCodeGrant } from './authorization-code.ts';
import { clientCredentialsGrant } from './client-credentials.ts';
import { deviceCodeGrant } from './device-code.ts';
import { jwtBearerGrant } from './jwt-bearer.ts';
import { refreshTokenGrant } from './refresh-token.ts';
import { tokenExchangeGrant } from './token-exchange.ts';
import type { GrantHandler } from './token-request.ts';

/** Every grant type of the token endpoint, by its wire name. */
export const grantRegistry = (deps: Deps): ReadonlyMap<string, GrantHandler> =>
  new Map(
    [
      authorizationCodeGrant(deps),
      refreshTokenGrant(deps),
      clientCredentialsGrant(deps),
      deviceCodeGrant(deps),
      tokenExchangeGrant(deps),
      jwtBearerGrant(deps),
    ].map((handler) => [handler.grantType, handler]),
  );
