import type { SigningKey } from '@grantlog/crypto';
import { platformDecider, platformStream } from '@grantlog/domain';
import { fold, type PlatformId } from '@grantlog/eventsourcing';
import { openLogKey, type Provisioning } from '@grantlog/provisioning';
import type { TreeContext } from './tree.ts';

/** What trees are named and signed by: the platform's issuer and its log key, which is made with the first checkpoint. */
export const treeKeeping = (context: Pick<Provisioning, 'log' | 'pool' | 'sealer'> & { readonly publicUrl: string }): TreeContext => {
  // A key is made once and never superseded.
  const keys = new Map<PlatformId, SigningKey>();
  return {
    originOf: async (platform, lineage) => {
      const state = fold(platformDecider, (await context.log.load(platform, [{ streamId: platformStream }])).stream(platformStream));
      const issuer = (state.status === 'none' ? null : state.document.issuer) ?? `${context.publicUrl}/${platform}`;
      // A URL without its scheme, as checkpoints have it.
      return `${issuer.replace(/^https?:\/\//, '')}/audit/${lineage}`;
    },
    signerOf: async (platform, name) => {
      const key = keys.get(platform) ?? (await openLogKey(context, platform));
      keys.set(platform, key);
      return { name, key };
    },
  };
};
