"use strict";
for (const figure of document.querySelectorAll(".slides")) {
  const slider = figure.querySelector("input");
  const output = figure.querySelector("output");
  const images = [...figure.querySelectorAll("img")];
  const show = () => {
    images.forEach((image, index) => { image.hidden = index !== Number(slider.value); });
    output.textContent = images[slider.value].dataset.step;
    slider.setAttribute("aria-valuetext", "step " + output.textContent);
  };
  slider.addEventListener("input", show);
  show();
}
