import type { PlatformId } from '@grantlog/eventsourcing';
import { createConsentFlow } from './consent.ts';
import { startDeployment } from './deployment.ts';
import { type Enrolled, enrol } from './second-factor.ts';
import { openWorkbench, type TestAccount } from './workbench.ts';

export const platform = 'secure' as PlatformId;

/** A deployment of one platform whose accounts look after their own security, with one of them and a client. */
export const openSecurityWorld = async (databaseUrl: string) => {
  const deployment = await startDeployment({ databaseUrl, apis: 1, workers: 0 });
  const bench = openWorkbench(deployment);
  const configure = (mfa: 'optional' | 'required') =>
    bench.configure(platform, {
      signIn: { mfa },
      roles: ['administrator'],
      exploration: { administratorRole: 'administrator' },
      scopes: [
        { name: 'openid', description: 'Know which account is yours', default: true },
        { name: 'read', description: 'Read your things' },
        { name: 'write', description: 'Change your things' },
        { name: 'account', description: 'See and change your security settings' },
      ],
    });
  const newAccount = (): Promise<TestAccount> => bench.account(platform);

  await configure('optional');
  const member = await newAccount();
  return {
    deployment,
    bench,
    member,
    flow: createConsentFlow({ deployment, platform, client: await bench.client(platform), account: member }),
    configure,
    newAccount,
    enrol: (account: TestAccount): Promise<Enrolled> => enrol(bench, platform, account),
    close: async (): Promise<void> => {
      await bench.close();
      await deployment.stop();
    },
  };
};

export type SecurityWorld = Awaited<ReturnType<typeof openSecurityWorld>>;
