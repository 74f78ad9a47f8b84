import type { PlatformId } from '@grantlog/eventsourcing';
import { enrolTotp, type PlatformNames } from '@grantlog/provisioning';
import { Secret, TOTP } from 'otpauth';
import { by, type TestAccount, type Workbench } from './workbench.ts';

export type Enrolled = { readonly secret: string; readonly recoveryCodes: readonly string[] };

/** The code that an authenticator app shows `steps` time steps from now. */
export const appCode = (secret: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 });

/** Six digits that are no code of the app anywhere near now. */
export const wrongCode = (secret: string): string => {
  const near = new Set([-2, -1, 0, 1, 2].map((steps) => appCode(secret, steps)));
  return ['111111', '222222', '333333', '444444', '555555', '666666'].find((code) => !near.has(code)) ?? '';
};

export const namesOf = async (bench: Workbench, platform: string): Promise<PlatformNames> => {
  const names = await bench.context.directory.open(platform as PlatformId);
  if (names === null) throw new Error(`${platform} is not there`);
  return names;
};

/** Version of an account's stream. */
export const versionOf = async (bench: Workbench, platform: string, account: TestAccount): Promise<number> =>
  (await bench.context.log.load(platform as PlatformId, [{ streamId: account.id }])).stream(account.id).version;

/** Gives an account an authenticator app; the code of the present step is spent by it, that of the next is not. */
export const enrol = async (bench: Workbench, platform: string, account: TestAccount): Promise<Enrolled> => {
  const names = await namesOf(bench, platform);
  const secret = new Secret({ size: 20 });
  const enrolled = await enrolTotp(bench.context, by, {
    names,
    account: account.id,
    expectedVersion: await versionOf(bench, platform, account),
    seed: secret.bytes,
    code: appCode(secret.base32),
    signIn: null,
  });
  if ('refusal' in enrolled) throw new Error(enrolled.refusal);
  return { secret: secret.base32, recoveryCodes: enrolled.recoveryCodes };
};
