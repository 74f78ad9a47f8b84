/**
 * How the id of a context is spelt: unreserved characters alone, so that it is one segment of a URL as it stands
 * (RFC 3986 §2.3), and never a dot or two, which URLs resolve away (§5.2.4). A pseudonym: events and tokens carry it.
 */
export const contextIdPattern = '^(?!\\.{1,2}$)[A-Za-z0-9._~-]{1,64}$';

const shape = new RegExp(contextIdPattern);

export const isContextId = (text: string): boolean => shape.test(text);
