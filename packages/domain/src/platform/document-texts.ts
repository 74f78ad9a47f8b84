import { parsePlatformId } from '../ids.ts';
import { type Reader, text, unreadable } from './readers.ts';
import { reservedPlatformNames } from './reserved-names.ts';
import { isRedirectUri, parseWebUrl } from './urls.ts';

const wellFormedName = text({
  max: 40,
  accepts: (name) => parsePlatformId(name) !== null,
  expected: 'a lower-case name like "arlo-health"',
});
/** The name of a platform, which is the first segment of its paths: none that the server needs for itself. */
export const platformName: Reader<string> = (value, path, problems) => {
  const name = wellFormedName(value, path, problems);
  if (name === unreadable || !reservedPlatformNames.has(name)) return name;
  problems.push({
    path,
    problem: `is reserved: /${name} is a path of the server itself`,
    fix: 'Choose another name, such as the name of your product.',
  });
  return unreadable;
};
export const label = text({ max: 100, expected: 'a short text' });
export const description = text({ max: 500, expected: 'a text for people' });
/** RFC 6749 §3.3: scope-token = 1*NQCHAR. */
export const scopeName = text({
  max: 100,
  accepts: (name) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name),
  expected: 'a scope name without spaces, quotes or backslashes',
});
export const roleName = text({ max: 60, accepts: (name) => /^[a-z][a-z0-9_:.-]*$/.test(name), expected: 'a lower-case role name' });
export const clientId = text({ max: 255, accepts: (id) => /^[\x21-\x7e]+$/.test(id), expected: 'a client id of visible ASCII characters' });
export const host = text({
  max: 259,
  accepts: (name) => URL.parse(`https://${name}`)?.host === name,
  expected: 'a lower-case host name, with a port if it has one',
});
export const webUrl = text({
  max: 2048,
  accepts: (url) => parseWebUrl(url) !== null,
  expected: 'an https URL (http on loopback) without userinfo or fragment',
});
export const httpsUrl = text({
  max: 2048,
  accepts: (url) => parseWebUrl(url)?.protocol === 'https:',
  expected: 'an https URL without userinfo or fragment',
});
export const upstreamUrl = text({
  max: 2048,
  accepts: (url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ''),
  expected: 'an http or https URL',
});
/** An origin spells itself without a path, so comparing it with itself also refuses the trailing slash. */
export const issuer = text({
  max: 300,
  accepts: (url) => parseWebUrl(url)?.origin === url,
  expected: 'an https origin (http on loopback) without a trailing slash',
});
export const redirectUri = text({
  max: 2048,
  accepts: isRedirectUri,
  expected: "an absolute redirect URI without fragment (https, http on loopback, or an app's own scheme)",
});
export const colour = text({ max: 7, accepts: (value) => /^#[0-9a-f]{6}$/.test(value), expected: 'a colour like "#1f4f8f", lower case' });
export const tokenPrefix = text({
  max: 10,
  accepts: (value) => /^[a-z][a-z0-9]+$/.test(value),
  expected: 'two to ten lower-case letters and digits',
});
/** A host, or `*.` and one for every host below it. */
export const hostPattern = text({
  max: 259,
  accepts: (pattern) => {
    const name = pattern.startsWith('*.') ? pattern.slice(2) : pattern;
    return /^[a-z0-9.-]+$/.test(name) && URL.parse(`https://${name}`)?.host === name;
  },
  expected: 'a lower-case host name like "example.com", or "*.example.com" for those below it',
});
/** An issuer of somebody else's: https, compared byte for byte, so any path is theirs to choose. */
export const issuerUrl = text({
  max: 300,
  accepts: (url) => parseWebUrl(url)?.protocol === 'https:' && !url.includes('?'),
  expected: 'an https URL without query or fragment, exactly as assertions name it',
});
export const noun = text({ max: 40, expected: 'a noun in the singular, like "Safe"' });
