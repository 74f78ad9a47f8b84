import { parseToken } from '@grantlog/crypto';
import { parseStreamId } from '@grantlog/domain';
import type { StreamId } from '@grantlog/eventsourcing';
import { UsageError } from '../command.ts';

/** Refuses a token where something else was asked for. It is never repeated: it is a secret, and lies in the shell's history as it is. */
export const refuseToken = (text: string): void => {
  const token = parseToken(text);
  if (token !== null)
    throw new UsageError(`That is a token, which nobody should type here. What it stands for has the id ${token.payload.streamId}`);
};

/**
 * The id of what a person names on the command line.
 *
 * @throws UsageError for what is none
 */
export const readId = (what: string, text: string): StreamId => {
  const id = parseStreamId(text.toLowerCase());
  if (id !== null) return id;
  refuseToken(text);
  throw new UsageError(`"${text}" is not the id of ${what}, which looks like 019a3b5c-0000-7000-8000-000000000000`);
};

/** An account as people name it: its id, or the email by which it is known. */
export const readAccount = (text: string): { readonly account: StreamId } | { readonly email: string } =>
  text.includes('@') ? { email: text } : { account: readId('an account, nor an email', text) };
