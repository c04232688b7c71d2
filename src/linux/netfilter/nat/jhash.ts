/** Bob Jenkins' lookup3 as the kernel has it (include/linux/jhash.h): `jhash2` over 32-bit words. Unsigned 32-bit result. */
export function jhash2(words: readonly number[], initval: number): number {
  let length = words.length;
  let a = (0xdeadbeef + (length << 2) + initval) | 0;
  let b = a;
  let c = a;
  let i = 0;
  const rol = (x: number, n: number): number => (x << n) | (x >>> (32 - n));
  while (length > 3) {
    a = (a + words[i]!) | 0;
    b = (b + words[i + 1]!) | 0;
    c = (c + words[i + 2]!) | 0;
    a = (a - c) ^ rol(c, 4);
    c = (c + b) | 0;
    b = (b - a) ^ rol(a, 6);
    a = (a + c) | 0;
    c = (c - b) ^ rol(b, 8);
    b = (b + a) | 0;
    a = (a - c) ^ rol(c, 16);
    c = (c + b) | 0;
    b = (b - a) ^ rol(a, 19);
    a = (a + c) | 0;
    c = (c - b) ^ rol(b, 4);
    b = (b + a) | 0;
    length -= 3;
    i += 3;
  }
  if (length === 0) return c >>> 0;
  if (length === 3) c = (c + words[i + 2]!) | 0;
  if (length >= 2) b = (b + words[i + 1]!) | 0;
  a = (a + words[i]!) | 0;
  c = ((c ^ b) - rol(b, 14)) | 0;
  a = ((a ^ c) - rol(c, 11)) | 0;
  b = ((b ^ a) - rol(a, 25)) | 0;
  c = ((c ^ b) - rol(b, 16)) | 0;
  a = ((a ^ c) - rol(c, 4)) | 0;
  b = ((b ^ a) - rol(a, 14)) | 0;
  c = ((c ^ b) - rol(b, 24)) | 0;
  return c >>> 0;
}

/** `reciprocal_scale`: a 32-bit hash put into [0, n). */
export const reciprocalScale = (hash: number, n: number): number => Math.floor((hash * n) / 0x100000000);
