declare const brand: unique symbol;

/**
 * A nominal type: a `Base` that only its maker's functions hand out. Brands add up: an account's id is a stream's id, too.
 * The names are keys and not values, because two values in one place would make `never`, which fits everything.
 */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: { readonly [Key in Name]: true } };

/** A tenant's name, which is also its key in every table: `[a-z][a-z0-9-]{0,39}`. */
export type PlatformId = Brand<string, 'PlatformId'>;

/** A stream's UUID in canonical lower case. UUIDv8 under a fixed prefix for streams without end, UUIDv7 for the rest. */
export type StreamId = Brand<string, 'StreamId'>;

/** The UUID under which all events of one commit stand, so that a commit asked for again is recognised. */
export type CommitId = Brand<string, 'CommitId'>;
