import type { CommandIo } from '../command.ts';
import { requireUnwritten, saveFile } from './save-file.ts';

/** Writes a text to the file that was named, byte for byte, or prints it. */
export const saveOrPrint = async (io: CommandIo, output: string | undefined, ask: () => Promise<Uint8Array>): Promise<void> => {
  if (output !== undefined) await requireUnwritten(output);
  const bytes = await ask();
  if (output === undefined) io.out(new TextDecoder().decode(bytes).replace(/\n$/, ''));
  else await saveFile(output, [bytes]);
};
