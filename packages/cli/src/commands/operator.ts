import { parseArgs } from 'node:util';
import { randomToken } from '@grantlog/crypto';
import { systemPlatform } from '@grantlog/domain';
import { type By, configurePlatform } from '@grantlog/provisioning';
import { type Command, UsageError } from '../command.ts';
import { databaseOf } from '../launcher/database-of.ts';
import { secretsOf } from '../launcher/secret-of.ts';
import { parseLauncherSettings } from '../launcher/settings.ts';
import { Problem } from '../problem.ts';
import { ensureAccount } from '../seed/ensure-account.ts';
import { openProvisioning } from '../seed/open-provisioning.ts';
import { readPlatformFile } from '../seed/platform-files.ts';

const by: By = { actor: { kind: 'system', id: 'command line' }, correlationId: 'grantlog operator' };

/** `grantlog operator`. */
export const operatorCommand: Command = {
  name: 'operator',
  summary: 'make an operator, or give one a new password',
  usage: `grantlog operator <email>

Makes the platform system where it is missing and an account of it with the roles operator and auditor, and prints its new
password. An account that exists gets a new password. For the first operator of a deployment: the others can be made
through the management API. Reads DATABASE_URL, GRANTLOG_SECRET and PUBLIC_URL as the services do.`,
  run: async (argv, io) => {
    const { positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: {} });
    const [email, ...rest] = positionals;
    if (email === undefined || rest.length > 0) throw new UsageError('Say who: grantlog operator <email>');
    const { publicUrl } = parseLauncherSettings(io.environment);
    const context = openProvisioning({ connectionString: await databaseOf(io), secrets: await secretsOf(io) });
    try {
      const configured = await configurePlatform(context, by, await readPlatformFile(systemPlatform, { publicUrl }));
      if (configured.kind === 'refused')
        throw new Problem(`The platform system was refused: ${configured.refusal}`, 'run grantlog migrate first.');
      const password = randomToken(15);
      await ensureAccount(context, by, {
        platform: systemPlatform,
        email,
        password,
        displayName: 'Operator',
        roles: ['operator', 'auditor'],
      });
      io.out(`${email} signs in at ${publicUrl}/system/sign-in with the password ${password}`);
      return 0;
    } finally {
      await context.close();
    }
  },
};
