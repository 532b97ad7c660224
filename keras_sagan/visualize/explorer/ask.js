"use strict";
// Sends a request to the server of the page.
async function ask(path, values) {
  const answer = await fetch(path + "?" + new URLSearchParams(values));
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}
