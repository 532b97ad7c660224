"use strict";
const get = (id) => document.getElementById(id);
const point = { x: 0, y: 0 };
let model = null;
let waiting = null; // the latest change during a request; earlier ones do not matter
let busy = false;

function query() {
  const truncation = Number(get("truncation").value);
  const values = {
    seed: get("seed").value,
    other_seed: get("other").value,
    share: get("share").value,
    truncation: truncation >= 3 ? 0 : truncation,
  };
  if (model.classes) values.label = get("label").value;
  return values;
}

function say(text, isError) {
  get("status").textContent = text;
  get("status").className = isError ? "error" : "";
}

async function refresh(withImage) {
  waiting = { withImage: withImage || Boolean(waiting && waiting.withImage) };
  get("share-text").textContent = Math.round(get("share").value * 100) + "%";
  const truncation = Number(get("truncation").value);
  get("truncation-text").textContent = truncation >= 3 ? "none" : truncation.toFixed(1);
  place();
  if (busy) return;
  busy = true;
  get("layers").setAttribute("aria-busy", "true");
  while (waiting) {
    const next = waiting;
    waiting = null;
    await update(next.withImage);
  }
  busy = false;
  get("layers").setAttribute("aria-busy", "false");
}

async function update(withImage) {
  try {
    if (withImage) {
      const shown = await ask("api/view", query());
      get("image").src = shown.image;
      get("image").alt = describeImage();
      get("download").href = shown.image;
      get("download").download = fileName();
    }
    if (!model.layers.length) {
      say("This model has no attention layers.");
      return;
    }
    if (waiting && waiting.withImage) return; // the image is about to change
    const at = { ...point };
    show((await ask("api/attention", { ...query(), ...at })).layers, at);
  } catch (error) {
    if (!waiting) say(error.message, true);
  }
}

function describeImage() {
  const name = model.classes ? "class " + model.classes[get("label").value] + ", " : "";
  return "Generated image, " + name + "seed " + get("seed").value;
}

function fileName() {
  const label = model.classes ? "-class-" + get("label").value : "";
  return model.name.replace(/[^\w.-]+/g, "-") + label + "-seed-" + get("seed").value + ".png";
}

function show(layers, at) {
  const figures = layers.map((layer) => {
    const figure = document.createElement("figure");
    const image = document.createElement("img");
    const caption = document.createElement("figcaption");
    const words = layer.name + ": looks most at " + layer.at.join(",") + " (" +
      (100 * layer.most).toFixed(1) + "%)";
    image.src = layer.overlay;
    image.alt = "Attention of point " + at.x + "," + at.y + ", " + words;
    image.dataset.query = layer.query;
    caption.textContent = words + "; " + layer.queries + " x " + layer.queries +
      " positions look at " + layer.keys + " x " + layer.keys;
    figure.append(image, caption);
    return figure;
  });
  get("layers").replaceChildren(...figures);
  say("Point " + at.x + "," + at.y);
}

function place() {
  get("point").style.left = (100 * (point.x + 0.5)) / model.image_size + "%";
  get("point").style.top = (100 * (point.y + 0.5)) / model.image_size + "%";
}

function move(x, y) {
  const inside = (value) => Math.min(Math.max(Math.floor(value), 0), model.image_size - 1);
  point.x = inside(x);
  point.y = inside(y);
  refresh(false);
}

function listen() {
  for (const id of ["label", "seed", "other", "share", "truncation"]) {
    get(id).addEventListener("input", () => refresh(true));
  }
  get("controls").addEventListener("submit", (event) => event.preventDefault());
  get("next").addEventListener("click", () => {
    get("seed").value = Number(get("seed").value) + 1;
    refresh(true);
  });
  const frame = get("frame");
  frame.addEventListener("click", (event) => {
    const box = frame.getBoundingClientRect();
    const scale = model.image_size / box.width;
    move((event.clientX - box.left) * scale, (event.clientY - box.top) * scale);
  });
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  frame.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    move(point.x + step[0], point.y + step[1]);
  });
}

async function start() {
  try {
    model = await ask("api/model", {});
  } catch (error) {
    say(error.message, true);
    return;
  }
  get("name").textContent = model.name;
  document.title = model.name + ": explorer";
  get("class-row").hidden = !model.classes;
  (model.classes || []).forEach((name, index) => get("label").append(new Option(name, index)));
  point.x = point.y = Math.floor(model.image_size / 2);
  listen();
  await refresh(true);
}

start();
