import { createClientSecret, randomToken } from '@grantlog/crypto';
import type { Demo, DemoPlatform } from './contract.ts';

/** The reference systems that a first start brings up. */
export const demoPlatforms = ['arlo-health', 'arlo', 'along'] as const;

const redirectUri = 'http://127.0.0.1:8765/callback';

const freshPlatform = (name: string, issuer: string): DemoPlatform => ({
  issuer,
  account: { email: `demo@${name}.example`, password: randomToken(12) },
  client: { client_id: `${name}-agent`, client_secret: createClientSecret(), redirect_uri: redirectUri },
  publicClient: { client_id: `${name}-app`, redirect_uri: redirectUri },
});

/** The demonstration's credentials: those that an earlier start kept, and new ones for what is missing. Issuers follow `PUBLIC_URL`. */
export const demoCredentials = (kept: Demo | null, publicUrl: string): Demo => ({
  url: publicUrl,
  operator: kept?.operator ?? {
    email: 'operator@grantlog.example',
    password: randomToken(12),
    client: { client_id: 'grantlog-operator', client_secret: createClientSecret() },
  },
  platforms: Object.fromEntries(
    demoPlatforms.map((name) => {
      const issuer = `${publicUrl}/${name}`;
      return [name, { ...(kept?.platforms[name] ?? freshPlatform(name, issuer)), issuer }];
    }),
  ),
});
