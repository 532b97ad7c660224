// Computes pixels as the Python package does, and encodes them as PNG.

const DIMMED = 0.45; // brightness of the image below an overlay
const LIGHT = [230, 159, 0];

/** Converts floats in [-1, 1] to bytes, with the rounding of `generate`. */
export function toPixels(images) {
  return Uint8ClampedArray.from(images, (x) => Math.fround(127.5 * Math.fround(x + 1)));
}

/** Draws attention as light on a dimmed grey image, as `visualize.attention.overlay` does. */
export function overlay(pixels, size, channels, weights, keys) {
  const most = Math.max(weights.reduce((a, b) => Math.max(a, b)), 1e-30);
  const lit = new Uint8ClampedArray(3 * size * size);
  for (let i = 0; i < size * size; i++) {
    const [x, y] = [i % size, Math.floor(i / size)].map((at) => Math.floor((at * keys) / size));
    const share = weights[y * keys + x] / most;
    const grey = luminance(pixels, i * channels, channels);
    for (let c = 0; c < 3; c++) lit[3 * i + c] = (1 - share) * DIMMED * grey + share * LIGHT[c];
  }
  return lit;
}

/** Returns the luminance of a pixel in integers, with the formula of Pillow. */
function luminance(pixels, at, channels) {
  if (channels === 1) return pixels[at];
  return (19595 * pixels[at] + 38470 * pixels[at + 1] + 7471 * pixels[at + 2] + 0x8000) >> 16;
}

/** Encodes a square image as a `data:` URL, not with a canvas, which some browsers blur on purpose. */
export async function pngUrl(pixels, size, channels) {
  const rows = new Uint8Array(size * (1 + size * channels)); // each begins with 0, no filter
  for (let y = 0; y < size; y++) {
    const row = pixels.subarray(y * size * channels, (y + 1) * size * channels);
    rows.set(row, y * (1 + size * channels) + 1);
  }
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const colorType = { 1: 0, 3: 2, 4: 6 }[channels];
  const header = [...word(size), ...word(size), 8, colorType, 0, 0, 0];
  const content = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", header),
    chunk("IDAT", new Uint8Array(await new Response(packed).arrayBuffer())),
    chunk("IEND", []),
  ];
  return new FileReaderSync().readAsDataURL(new Blob(content, { type: "image/png" }));
}

function chunk(kind, content) {
  const body = new Uint8Array(4 + content.length);
  body.set(new TextEncoder().encode(kind));
  body.set(content, 4);
  return new Blob([Uint8Array.from(word(content.length)), body, Uint8Array.from(word(checksum(body)))]);
}

function word(number) {
  return [24, 16, 8, 0].map((bits) => (number >>> bits) & 255);
}

/** CRC-32. */
function checksum(bytes) {
  let remainder = ~0;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  }
  return ~remainder >>> 0;
}
