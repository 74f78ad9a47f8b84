import { relatedId } from '@grantlog/crypto';
import type { GrantId, SessionId } from '@grantlog/domain';

/** The stream of the grant that a session's consent opens: found by the session's id alone. */
export const sessionGrant = (session: SessionId): GrantId => relatedId(session, 'grant of a session') as GrantId;
