// Runs the model in a worker, so that the page stays responsive.
import { Model } from "./model.js";

const model = Model.load((loaded) => postMessage({ loaded }));
let before = Promise.resolve();

onmessage = ({ data }) => {
  before = before.then(() => answer(data)); // one request after the other
};

async function answer({ path, values }) {
  try {
    postMessage({ answer: await (await model).answer(path, values) });
  } catch (error) {
    postMessage({ error: error.message || String(error) });
  }
}
