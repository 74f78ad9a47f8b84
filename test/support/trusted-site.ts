import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey, importSigningKey, type SigningKey } from '@grantlog/crypto';
import { createAuthority } from './certificates.ts';
import { openSite, type Site } from './site.ts';

/** A site inside that a deployment reaches by configuration alone: an exception of the egress, and an authority of the test's own. */
export type TrustedSite = Site & {
  /** What the deployment has to be started with. */
  readonly settings: Readonly<Record<'EGRESS_ALLOW' | 'EGRESS_CA_FILE', string>>;
  /** Serves the public half of a new ES256 key at `/keys`; returns the key. */
  readonly publishKey: () => Promise<SigningKey>;
  readonly close: () => Promise<void>;
};

export const openTrustedSite = async (): Promise<TrustedSite> => {
  const folder = await mkdtemp(join(tmpdir(), 'grantlog-authority-'));
  const authority = createAuthority();
  const file = join(folder, 'authority.pem');
  await writeFile(file, authority.pem);
  const site = await openSite(authority);
  return {
    ...site,
    settings: { EGRESS_ALLOW: site.destination, EGRESS_CA_FILE: file },
    publishKey: async () => {
      const generated = await generateSigningKey('ES256');
      site.answer('/keys', (_request, reply) => {
        reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [generated.publicJwk] }));
      });
      return importSigningKey(generated);
    },
    close: async () => {
      await site.goDown();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
