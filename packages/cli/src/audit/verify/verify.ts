import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parsePlatformId } from '@grantlog/domain';
import { createPool, readAuditCheckpoint, readAuditTree, readCosignedNote, readWitnessedCheckpoint } from '@grantlog/postgres';
import { type LogIdentity, readVerifierKey, verifyLog } from '@grantlog/transparency';
import { type CommandIo, UsageError } from '../../command.ts';
import { databaseOf } from '../../launcher/database-of.ts';
import { Problem, unlessMissing } from '../../problem.ts';
import { createArchiveWatch } from './archive-watch.ts';
import { databaseSource, serverSource, type VerifiedSource } from './sources.ts';
import { tellExcerpt } from './tell-excerpt.ts';
import { tellVerification } from './tell-verification.ts';
import { verifyFile } from './verify-file.ts';
import { judgeWitnesses, witnessKeys } from './witnesses.ts';

const readText = async (path: string): Promise<string> => {
  const text = await unlessMissing(readFile(path, 'utf8'));
  if (text === null) throw new Problem(`There is no file ${path}`, 'check the path');
  return text;
};

const logOf = (text: string): LogIdentity => {
  const key = readVerifierKey(text.trim());
  if (key?.algorithm !== 'ed25519') throw new UsageError('--key is no verifier key of a log; /audit/tree shows it as verifierKey');
  return { key };
};

const baseOf = (text: string | undefined): number => {
  const base = Number(text ?? '0');
  if (!Number.isSafeInteger(base) || base < 0) throw new UsageError('--base is a position, 0 by itself');
  return base;
};

/** Runs `use` on the log of a platform in the database; `witnessed` where what witnesses have signed is to be looked at. */
const withDatabase = async <Value>(
  io: CommandIo,
  { name, witnessed }: { readonly name: string; readonly witnessed: boolean },
  use: (source: VerifiedSource) => Promise<Value>,
): Promise<Value> => {
  const platform = parsePlatformId(name);
  if (platform === null) throw new UsageError(`"${name}" is not the name of a platform`);
  const pool = createPool({ connectionString: await databaseOf(io), role: 'grantlog_api', max: 2 });
  try {
    const tree = await readAuditTree(pool, platform);
    const signed = tree === null ? null : await readAuditCheckpoint(pool, { ...tree, atMost: tree.size });
    if (tree === null || signed === null)
      throw new Problem(`Nothing of the log of ${name} is signed yet`, 'let a worker run for some seconds, and check the name');
    const found = witnessed ? await readWitnessedCheckpoint(pool, { ...tree, atMost: tree.size }) : null;
    return await use(databaseSource(pool, tree, await readCosignedNote(pool, tree, found ?? signed)));
  } finally {
    await pool.end();
  }
};

/** `grantlog audit verify`: exit code 0 where everything fits, 1 where something does not. */
export const verifyAudit = async (argv: readonly string[], io: CommandIo): Promise<number> => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      checkpoint: { type: 'string', multiple: true, default: [] },
      key: { type: 'string' },
      url: { type: 'string' },
      'token-file': { type: 'string' },
      export: { type: 'string' },
      platform: { type: 'string' },
      base: { type: 'string' },
      witness: { type: 'string', multiple: true, default: [] },
    },
  });
  const { checkpoint: files, key, url, export: path, platform } = values;
  if (key === undefined) throw new UsageError('Say whose signature counts: --key <verifier key>');
  if ([url, path, platform].filter((each) => each !== undefined).length !== 1)
    throw new UsageError('Say what to verify: --url, --export or --platform, one of them');
  const log = logOf(key);
  const witnesses = witnessKeys(values.witness);
  const witnessed = witnesses.length > 0;
  const trusted = await Promise.all(files.map(readText));
  const base = baseOf(values.base);
  const judge = async (source: VerifiedSource): Promise<number> => {
    const { events, claimed } = source;
    const archives = createArchiveWatch();
    const found = await verifyLog({ events: archives.over(events), log, trusted, claimed });
    for (const line of tellVerification(found, source.base)) io.out(line);
    if (found.kind !== 'verified') return 1;
    for (const line of archives.tell()) io.out(line);
    const seen = judgeWitnesses([claimed.checkpoint], witnesses);
    for (const line of seen.lines) io.out(line);
    return archives.isCovered() && seen.isComplete ? 0 : 1;
  };
  if (platform !== undefined) return withDatabase(io, { name: platform, witnessed }, judge);
  if (path !== undefined) {
    const found = await verifyFile(path, log, trusted);
    for (const line of tellExcerpt(found)) io.out(line);
    if (found.kind !== 'verified') return 1;
    // One that could not be compared with says nothing of this excerpt, whoever has cosigned it.
    const sizes = new Set(found.compared.map(({ size }) => size));
    const counted = trusted.filter((text) => sizes.has(Number(text.split('\n')[1])));
    const seen = judgeWitnesses([found.head.checkpoint, ...counted], witnesses);
    for (const line of seen.lines) io.out(line);
    return seen.isComplete ? 0 : 1;
  }
  const token = values['token-file'] === undefined ? null : (await readText(values['token-file'])).trim();
  const tree = URL.parse(url?.endsWith('/') ? url : `${url}/`);
  if (tree === null) throw new UsageError('--url is no URL: give the issuer of the platform, then /audit/tree/');
  return judge(await serverSource({ tree, token, base, witnessed }));
};
