import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, type JsonObject, type JsonValue } from '../src/index.ts';

const doubleOf = (hex: string): number => Buffer.from(hex, 'hex').readDoubleBE(0);
const nested = (levels: number): JsonValue => {
  let value: JsonValue = 'bottom';
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
};

/** Sorts by comparing code units one by one, and leaves scalars to JSON.stringify. */
const naive = (value: JsonValue): string => {
  if (Array.isArray(value)) return `[${value.map(naive).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const units = (text: string): readonly number[] => Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  const compare = ([one]: [string, JsonValue], [other]: [string, JsonValue]): number => {
    const theirs = units(other);
    for (const [at, unit] of units(one).entries()) {
      const difference = unit - (theirs[at] ?? -1);
      if (difference !== 0) return difference;
    }
    return one.length - other.length;
  };
  const members = Object.entries(value as JsonObject).sort(compare);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${naive(member)}`).join(',')}}`;
};

describe('canonical JSON', () => {
  // RFC 8785 §3.2.2 and §3.2.3, and the published test data of its author.
  test.each([
    [
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    ],
    [
      String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
      `{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}`,
    ],
    [
      '{"1":{"f":{"f":"hi","F":5} ,"\\n":56.0},"10":{ },"":"empty","a":{ },"111":[ {"e":"yes","E":"no"} ],"A":{ }}',
      '{"":"empty","1":{"\\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}',
    ],
    ['[56,{"d":true,"10":null,"1":[ ]}]', '[56,{"1":[],"10":null,"d":true}]'],
  ])('writes %s as the specification does', (input, output) => {
    expect(canonicalJson(JSON.parse(input) as JsonValue)).toBe(output);
  });

  // RFC 8785 appendix B.
  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the double %s as %s', (bits, text) => {
    expect(canonicalJson(doubleOf(bits))).toBe(text);
  });

  test.each([
    ['a number that is none', Number.NaN],
    ['infinity', { a: [Number.NEGATIVE_INFINITY] }],
    ['a lone high surrogate', ['\ud800']],
    ['a lone low surrogate in a name', { 'a\udc00b': 1 }],
    ['what is not JSON', { a: undefined } as unknown as JsonValue],
    ['more than 500 levels', nested(501)],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(RangeError);
  });

  test.each([
    ['a"b', String.raw`"a\"b"`],
    ['a\\b', String.raw`"a\\b"`],
    ['a/b<c>', '"a/b<c>"'],
    ['a\u007f\u2028', '"a\u007f\u2028"'],
  ])('writes the text %j with no escapes but those that have to be', (text, written) => {
    expect(canonicalJson(text)).toBe(written);
  });

  test('takes 500 levels, and the name __proto__ for one like any other', () => {
    expect(canonicalJson(nested(500))).toHaveLength(1008);
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"a":2}}') as JsonValue)).toBe('{"__proto__":{"a":2},"b":1}');
  });

  test('agrees with a naive formulation, and parses to what was written', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (any) => {
        const value = JSON.parse(JSON.stringify(any)) as JsonValue;
        const text = canonicalJson(value);
        expect(text).toBe(naive(value));
        expect(JSON.parse(text)).toEqual(value);
      }),
      { numRuns: 1000 },
    );
  });
});
