// What stands in the place of a reply that could not be had: why, and what to do now.

import { h } from "./dom.js";
import { note } from "./message.js";
import { inWords } from "./words.js";

/** `again` and `back` are `{label, act}`; without `back` there is nothing to take back. */
export function failureNote(error, { again, back }) {
  const { title, detail, wait, mayPass } = inWords(error);
  const button = ({ label, act }) => h("button", { type: "button", onclick: act }, label);
  const retry = mayPass && button(again);
  if (retry && wait) countDown(retry, wait);
  return note("error", title, detail, h("div", { class: "buttons" }, retry, back && button(back)));
}

/** The button can be pressed when the seconds are over, and shows them. */
function countDown(button, seconds) {
  const label = button.textContent;
  const until = Date.now() + seconds * 1000;
  const show = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${label} in ${left} s` : label;
    if (left > 0) setTimeout(show, 250);
  };
  show();
}
