"use strict";
// Asks the model in a worker of this page: the answers are those of `explore`.
const expected = []; // answers, in the order of the questions
let worker = null;

function ask(path, values) {
  if (location.protocol === "file:") {
    throw new Error("A browser runs this page only from a web server: python -m http.server");
  }
  if (!("DecompressionStream" in window)) {
    throw new Error("This page needs a browser of 2023 or later.");
  }
  worker = worker || start_worker();
  return new Promise((resolve, reject) => {
    expected.push({ resolve, reject });
    worker.postMessage({ path, values });
  });
}

function start_worker() {
  const started = new Worker("worker.js", { type: "module" });
  started.onmessage = ({ data }) => {
    if (data.loaded) { // other files may still come after one that could not be loaded
      if (expected.length) say("Loading: " + (data.loaded / 1e6).toFixed(1) + " MB");
    } else if (data.error) {
      expected.shift().reject(new Error(data.error));
    } else {
      expected.shift().resolve(data.answer);
    }
  };
  started.onerror = () => {
    const error = new Error("The program of this page could not be loaded.");
    expected.splice(0).forEach(({ reject }) => reject(error));
  };
  return started;
}
