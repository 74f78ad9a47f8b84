/** One secret by the id of its sealed credential. `validUntil` is whole seconds since the epoch; null while it is the newest. */
export type RotatingSecret = { readonly credentialId: string; readonly validUntil: number | null };

/**
 * Makes `credentialId` the newest secret and lets the newest so far live until `previousValidUntil` (whole seconds).
 * Never more than two are kept: a third rotation within the overlap ends the oldest at once.
 */
export const rotateSecret = (
  secrets: readonly RotatingSecret[],
  rotation: { readonly credentialId: string; readonly previousValidUntil: number },
): readonly RotatingSecret[] => {
  const newest: RotatingSecret = { credentialId: rotation.credentialId, validUntil: null };
  const [previous] = secrets;
  return previous === undefined ? [newest] : [newest, { credentialId: previous.credentialId, validUntil: rotation.previousValidUntil }];
};

/** The credential ids that are good at `seconds` since the epoch, newest first; at most two. */
export const validSecrets = (secrets: readonly RotatingSecret[], seconds: number): readonly string[] =>
  secrets.filter(({ validUntil }) => validUntil === null || seconds < validUntil).map(({ credentialId }) => credentialId);
