"use strict";
// Asks the model in a worker of this page, which answers like the server of `explore`.
const expected = []; // pending answers, in the order of the questions
let worker = null;

function ask(path, values) {
  if (location.protocol === "file:") {
    throw new Error("This page must be opened through a web server: python -m http.server");
  }
  if (!("DecompressionStream" in window)) {
    throw new Error("This page needs a browser from 2023 or later.");
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
    if (data.loaded) { // other files may still arrive after one that failed
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
