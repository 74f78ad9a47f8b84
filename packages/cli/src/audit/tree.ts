import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../command.ts';
import { answerOf, bytesOf } from './audit-server.ts';
import { findOpenServer } from './find-server.ts';
import { saveOrPrint } from './save-or-print.ts';
import { tellObject } from './tell-object.ts';

type Tree = { readonly origin: string; readonly verifierKey: string };

/** `grantlog audit tree`. */
export const treeCommand: Command = {
  name: 'tree',
  summary: 'show the key that signs a log and how far it is signed, or fetch a checkpoint to keep',
  usage: `grantlog audit tree (--platform <name> | --url <issuer>) [--json]
       grantlog audit tree checkpoint (--platform <name> | --url <issuer>) [--output <file>]

The tree over a log: its name, the key that signs it (verifierKey, for grantlog audit verify --key), and how far it is signed. With
checkpoint, the latest signed checkpoint: keep one where nobody of the operation can write, and audit verify --checkpoint finds
whatever was changed before it. Anybody may ask, without a token.

--platform <name> is of the instance here, --url <issuer> of any, such as https://auth.example.com/along.

  grantlog audit tree --platform along
  grantlog audit tree checkpoint --platform along --output along-checkpoint`,
  run: async (argv, io) => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        url: { type: 'string' },
        platform: { type: 'string' },
        output: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const [what, ...rest] = positionals;
    const { output, json } = values;
    if ((what !== undefined && what !== 'checkpoint') || rest.length > 0)
      throw new UsageError('Say grantlog audit tree, or grantlog audit tree checkpoint');
    if (what === undefined && output !== undefined) throw new UsageError('--output goes with checkpoint');
    if (what === 'checkpoint' && json) throw new UsageError('A checkpoint is no JSON: leave --json out');
    if (what === 'checkpoint') {
      await saveOrPrint(io, output, async () => {
        const server = await findOpenServer(values, io);
        return bytesOf(server, server.get('tree/checkpoint'));
      });
      return 0;
    }
    const server = await findOpenServer(values, io);
    const tree = await answerOf<Tree>(server, server.get('tree'), 'verifierKey');
    for (const line of json ? [JSON.stringify(tree, null, 2)] : [`Tree of ${server.issuer}`, ...tellObject(tree)]) io.out(line);
    return 0;
  },
};
