import type { PlatformId, StreamId } from '@grantlog/eventsourcing';
import type { Transaction } from '../deliveries/database.ts';

/** Sign-ins that one event has ended. `before` is the event's position: what began above it goes on. */
export type EndedSignIns =
  | { readonly kind: 'one'; readonly signIn: StreamId }
  | { readonly kind: 'of_account'; readonly account: StreamId; readonly before: number }
  /** Those of an account that were made without a second factor. */
  | { readonly kind: 'of_account_without_second_factor'; readonly account: StreamId; readonly before: number }
  | { readonly kind: 'of_platform'; readonly before: number };

type Condition = { readonly text: string; readonly values: readonly (string | number)[] };

/** `$1` is the platform. */
const conditionOf = (ended: EndedSignIns): Condition => {
  switch (ended.kind) {
    case 'one':
      return { text: 'platform = $1 and sign_in = $2', values: [ended.signIn] };
    case 'of_account':
      return { text: 'platform = $1 and account = $2 and first_position < $3', values: [ended.account, ended.before] };
    case 'of_account_without_second_factor':
      return {
        text: 'platform = $1 and account = $2 and first_position < $3 and not second_factor',
        values: [ended.account, ended.before],
      };
    case 'of_platform':
      return { text: 'platform = $1 and first_position < $2', values: [ended.before] };
  }
};

type Ended = { readonly platform: PlatformId; readonly ended: EndedSignIns };

/** The apps that these sign-ins led to, each once. */
export const clientsOfSignIns = async (client: Transaction, { platform, ended }: Ended): Promise<readonly StreamId[]> => {
  const { text, values } = conditionOf(ended);
  const { rows } = await client.query<{ client: StreamId }>({
    name: `grantlog.clients-of-sign-ins-${ended.kind}`,
    text: `select distinct client from sign_in_client where ${text}`,
    values: [platform, ...values],
  });
  return rows.map((row) => row.client);
};

/**
 * Forgets which apps these sign-ins led to and puts a notice into the outbox for each that listens, due at once. The id of a
 * notice follows from the event, the sign-in and the app, so that a log which is read again tells nobody anew.
 *
 * @returns how many notices were made.
 */
export const endSignIns = async (
  client: Transaction,
  { platform, ended, position, listening }: Ended & { readonly position: number; readonly listening: readonly StreamId[] },
): Promise<number> => {
  const { text, values } = conditionOf(ended);
  const next = values.length + 2;
  const { rowCount } = await client.query({
    name: `grantlog.end-sign-ins-${ended.kind}`,
    text: `with ended as (delete from sign_in_client where ${text} returning platform, sign_in, client, account)
      insert into logout_notice (platform, id, client, sign_in, account)
      select platform, substr(encode(sha256(convert_to(concat_ws(' ', 'logout', platform, $${next}::bigint, sign_in, client), 'UTF8')), 'hex'), 1, 32)::uuid,
        client, sign_in, account
      from ended where client = any($${next + 1}::uuid[])
      on conflict do nothing`,
    values: [platform, ...values, position, listening],
  });
  return rowCount ?? 0;
};
