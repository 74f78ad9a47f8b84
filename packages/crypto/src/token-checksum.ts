import { crc32 } from 'node:zlib';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * Six base62 digits of the CRC-32 of a text: what lets a secret scanner recognise a token offline, and the parser refuse a typo.
 * It is no protection against forgery. 62⁶ exceeds 2³², so every CRC has its own six digits.
 */
export const tokenChecksum = (text: string): string => {
  let rest = crc32(text);
  let checksum = '';
  for (let place = 0; place < 6; place += 1) {
    checksum = digits.charAt(rest % 62) + checksum;
    rest = Math.floor(rest / 62);
  }
  return checksum;
};
