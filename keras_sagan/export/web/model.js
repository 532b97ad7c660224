// Runs a generator in ONNX Runtime and answers like `keras-sagan explore`, without a server.
import * as ort from "./onnxruntime/ort.wasm.bundle.min.mjs";
import { overlay, pngUrl, toPixels } from "./pictures.js";

const LARGEST_SEED = 2 ** 53;

export class Model {
  /** Loads everything that the page needs. */
  static async load(progress) {
    let loaded = 0;
    const get = (name) => load(name, (bytes) => progress((loaded += bytes)));
    const [runtime, card, latents, network] = await Promise.all([
      get("onnxruntime/ort-wasm-simd-threaded.wasm.gz").then(unpacked),
      get("model.json"),
      get("latents.onnx"),
      get("model.onnx"),
    ]);
    ort.env.wasm.wasmBinary = runtime;
    ort.env.wasm.numThreads = 1; // more threads need HTTP headers that few hosts can send
    const model = new Model();
    model.card = JSON.parse(new TextDecoder().decode(card));
    // Optimizing this small graph takes longer than running it.
    model.latents = await ort.InferenceSession.create(latents, { graphOptimizationLevel: "disabled" });
    model.network = await ort.InferenceSession.create(network);
    return model;
  }

  /** Returns the answer that the server of the explorer would give. */
  async answer(path, values) {
    if (path === "api/model") return this.description();
    const shown = await this.view(choice(values, this.classes()));
    if (path === "api/view") return { image: await pngUrl(shown.pixels, this.size, this.channels) };
    return { layers: await Promise.all(this.layers().map((x) => this.attention(shown, x, values))) };
  }

  get size() { return this.card.generator.image_size; }
  get channels() { return this.card.generator.channels; }
  layers() { return this.network.outputNames.filter((name) => name !== "images"); }

  classes() {
    const count = this.card.generator.num_classes;
    if (count === null) return null;
    return this.card.class_names || [...Array(count).keys()].map(String);
  }

  description() {
    return {
      name: this.card.name,
      image_size: this.size,
      classes: this.classes(),
      layers: this.layers().map((name) => "generator/" + name),
    };
  }

  /** Generates the image of a choice with all maps, and keeps them until the next one. */
  async view(chosen) {
    const key = JSON.stringify(chosen);
    if (this.shown && this.shown.key === key) return this.shown;
    const rows = {
      seed: new ort.Tensor("int64", chosen.seeds.map(BigInt), [2]),
      truncation: new ort.Tensor("float32", Array(2).fill(chosen.truncation), [2]),
    };
    const { latent } = await this.latents.run(rows);
    const [first, last] = [0, 1].map((i) => latent.data.slice(...[i, i + 1].map((x) => x * latent.dims[1])));
    const feeds = { latent: new ort.Tensor("float32", spherical(first, last, chosen.share), [1, latent.dims[1]]) };
    if (chosen.label !== null) feeds.label = new ort.Tensor("int32", [chosen.label], [1]);
    const { images, ...maps } = await this.network.run(feeds);
    this.shown = { key, pixels: toPixels(images.data), maps };
    return this.shown;
  }

  /** Describes where the query of a pixel attends in a layer, with a picture. */
  async attention(shown, name, { x, y }) {
    const [, queries, keys] = shown.maps[name].dims.map(Math.sqrt);
    const row = Math.floor((y * queries) / this.size);
    const query = row * queries + Math.floor((x * queries) / this.size);
    const weights = shown.maps[name].data.subarray(query * keys * keys, (query + 1) * keys * keys);
    const most = weights.reduce((a, b) => Math.max(a, b));
    const at = weights.indexOf(most);
    const block = this.size / keys;
    const lit = overlay(shown.pixels, this.size, this.channels, weights, keys);
    return {
      name: "generator/" + name,
      query, queries, keys, most,
      at: [at % keys, Math.floor(at / keys)].map((i) => i * block + Math.floor(block / 2)),
      overlay: await pngUrl(lit, this.size, 3),
    };
  }
}

/** Checks the values of the form on the page. */
function choice(values, classes) {
  const seeds = [values.seed, values.other_seed].map((text, i) => {
    const name = i ? "other_seed" : "seed";
    if (!/^\s*[+-]?\d+\s*$/.test(text)) {
      throw new Error(`\`${name}\` must be an integer. Received: '${text}'.`);
    }
    if (Math.abs(Number(text)) > LARGEST_SEED) {
      throw new Error(`\`${name}\` must be at most 2^53. Received: ${text}.`);
    }
    return Number(text);
  });
  return {
    seeds,
    share: Number(values.share),
    truncation: Number(values.truncation),
    label: classes === null ? null : Number(values.label),
  };
}

/** Interpolates along the arc between two latent vectors, as `interpolation.spherical` does. */
export function spherical(start, end, share) {
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const [first, last] = [start, end].map((x) => Float64Array.from(x));
  const lengths = [first, last].map((x) => Math.max(Math.sqrt(dot(x, x)), 1e-12));
  const cosine = dot(first, last) / lengths[0] / lengths[1];
  const angle = Math.acos(Math.min(Math.max(cosine, -1), 1));
  if (Math.sin(angle) < 1e-6) {
    return Float32Array.from(first, (x, i) => (1 - share) * x + share * last[i]);
  }
  const radius = ((1 - share) * lengths[0] + share * lengths[1]) / Math.sin(angle);
  const [a, b] = [Math.sin((1 - share) * angle), Math.sin(share * angle)];
  return Float32Array.from(
    first, (x, i) => radius * ((a * x) / lengths[0] + (b * last[i]) / lengths[1]));
}

async function load(name, received) {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name} could not be loaded: ${answer.status}.`);
  const parts = [];
  for (const reader = answer.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    parts.push(value);
    received(value.length);
  }
}

/** Unpacks gzip, unless the server has done so already. */
async function unpacked(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes.buffer;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
