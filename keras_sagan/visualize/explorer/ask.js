"use strict";
// Asks the server that the page is from.
async function ask(path, values) {
  const answer = await fetch(path + "?" + new URLSearchParams(values));
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
}
