import { mintToken, parseToken } from '@grantlog/crypto';
import { grantDecider, keyRingDecider, keyRingStream } from '@grantlog/domain';
import { fold, type PlatformId, type StreamId } from '@grantlog/eventsourcing';
import { openCredential } from '@grantlog/provisioning';
import type { Workbench } from '../../../support/workbench.ts';

/** An opaque access token as it will be in an hour: the same grant and sequence, genuine in every byte, and out of time. */
export const expiredTokenOf = async ({ context }: Pick<Workbench, 'context'>, platform: string, accessToken: string): Promise<string> => {
  const parsed = parseToken(accessToken);
  if (parsed === null) throw new Error('this is no opaque token');
  const grantId = parsed.payload.streamId as StreamId;
  const loaded = await context.log.load(platform as PlatformId, [{ streamId: keyRingStream, withSecrets: true }, { streamId: grantId }]);
  const ring = fold(keyRingDecider, loaded.stream(keyRingStream));
  const grant = fold(grantDecider, loaded.stream(grantId));
  const key = ring.status === 'none' ? undefined : ring.keys.find(({ use, keyId }) => use === 'token' && keyId === parsed.payload.keyId);
  if (key === undefined || grant.status !== 'active') throw new Error('the token has no key or no grant');
  return mintToken({
    prefix: accessToken.slice(0, accessToken.indexOf('_')),
    kind: 'access',
    platform,
    key: openCredential(context.sealer, {
      platform: platform as PlatformId,
      owner: keyRingStream,
      kind: 'token_key',
      id: key.credentialId,
      credentials: loaded.stream(keyRingStream).credentials,
    }),
    nonce: Uint8Array.fromBase64(grant.terms.tokenNonce, { alphabet: 'base64url' }),
    payload: { ...parsed.payload, expiresAt: Math.floor(loaded.now / 1000) - 1 },
  });
};
