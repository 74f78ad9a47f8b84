import type { HeaderList } from '@grantlog/guard';
import type { Value } from './xml.ts';

/** An answer before it has a media type. `root` names it in XML. */
export type Reply = {
  readonly status: number;
  readonly headers: HeaderList;
  readonly root: string;
  readonly value: Value;
};

export const found = (root: string, value: Value, headers: HeaderList = []): Reply => ({ status: 200, headers, root, value });

/** A refusal, worded as the guard words its own. */
export const refusal = (
  status: number,
  body: { readonly error: string; readonly error_description: string } & { readonly [member: string]: Value },
  headers: HeaderList = [],
): Reply => ({ status, headers, root: 'Error', value: body });
