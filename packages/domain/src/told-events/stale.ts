import type { descriptions } from './descriptions.ts';

type ToldType = keyof typeof descriptions;

/** Messages about a grant that tell how it went on, and are stale once it has ended. */
const courseOfGrant: readonly ToldType[] = [
  'grant.authorized',
  'grant.code_redeemed',
  'grant.refreshed',
  'grant.refresh_retried',
  'grant.context_selected',
];

const stale: Readonly<Partial<Record<ToldType, readonly ToldType[]>>> = {
  'grant.refreshed': ['grant.refreshed', 'grant.refresh_retried'],
  'grant.context_selected': ['grant.context_selected'],
  'grant.revoked': courseOfGrant,
  'grant.expired': courseOfGrant,
};

/** Types whose earlier messages about the same subject say nothing any more once a message of this type was told. */
export const staleAfter = (type: string): readonly string[] => (stale as Readonly<Record<string, readonly string[]>>)[type] ?? [];
