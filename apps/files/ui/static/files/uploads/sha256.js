/**
 * SHA-256 in plain JavaScript (FIPS 180-4), for pages that are served by plain http from another machine: browsers keep
 * `crypto.subtle` from them. Some twenty times slower than the built-in one, so it is the fallback and nothing else.
 */

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const K = new Uint32Array(64);
/** The same of the square roots of the first 8 primes (5.3.3). */
const START = new Uint32Array(8);

(function fillConstants() {
  const fraction = (/** @type {number} */ x) => ((x - Math.floor(x)) * 2 ** 32) >>> 0;
  let count = 0;
  for (let candidate = 2; count < 64; candidate += 1) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= candidate; divisor += 1) if (candidate % divisor === 0) prime = false;
    if (!prime) continue;
    if (count < 8) START[count] = fraction(candidate ** (1 / 2));
    K[count] = fraction(candidate ** (1 / 3));
    count += 1;
  }
})();

/** @param {Uint32Array} state @param {Uint32Array} w @param {DataView} view @param {number} offset */
function mix(state, w, view, offset) {
  for (let i = 0; i < 16; i += 1) w[i] = view.getUint32(offset + i * 4);
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
  state[5] += f;
  state[6] += g;
  state[7] += h;
}

/**
 * @param {ArrayBuffer} buffer
 * @returns {ArrayBuffer} 32 bytes
 */
export function sha256(buffer) {
  const state = START.slice();
  const w = new Uint32Array(64);
  const whole = buffer.byteLength - (buffer.byteLength % 64);
  const view = new DataView(buffer);
  for (let offset = 0; offset < whole; offset += 64) mix(state, w, view, offset);

  const rest = new Uint8Array(buffer, whole);
  const tail = new Uint8Array(rest.length + 9 > 64 ? 128 : 64);
  tail.set(rest);
  tail[rest.length] = 0x80;
  const tailView = new DataView(tail.buffer);
  tailView.setUint32(tail.length - 8, Math.floor(buffer.byteLength / 2 ** 29));
  tailView.setUint32(tail.length - 4, (buffer.byteLength << 3) >>> 0);
  for (let offset = 0; offset < tail.length; offset += 64) mix(state, w, tailView, offset);

  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, index) => digest.setUint32(index * 4, word));
  return digest.buffer;
}
