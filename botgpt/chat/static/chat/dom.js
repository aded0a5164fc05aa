// Making elements, and saying things to those who do not see the page.

export const $ = (selector, root = document) => root.querySelector(selector);

/** An element; attributes that begin with "on" are listeners, true is an empty attribute, false and null are none. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** One of the symbols of the template. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A button that shows a symbol alone; its label is also what a mouse is told. */
export function iconButton(name, label, onclick, attributes = {}) {
  return h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...attributes },
    icon(name),
  );
}

/** Have a screen reader say it when it has said the rest. */
export function announce(text) {
  const status = $("#status");
  status.textContent = "";
  setTimeout(() => (status.textContent = text), 50); // the same words again are a change, too
}

/** Whether a key means "go on" in a text field: Enter alone, not while characters are composed, not on a phone. */
export function isSend(event) {
  const plain = event.key === "Enter" && !event.shiftKey && !event.isComposing;
  return plain && !matchMedia("(pointer: coarse)").matches;
}

/** A function that runs when it has not been called for a while. */
export function settled(run, milliseconds = 250) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(run, milliseconds, ...given);
  };
}

/** Show a dialog of the template and give its form's answer: the value of the button, "" when it was left. */
export function ask(dialog) {
  dialog.returnValue = "";
  dialog.querySelector(".leave").onclick = () => dialog.close();
  dialog.showModal();
  return new Promise((answer) => dialog.addEventListener("close", () => answer(dialog.returnValue), { once: true }));
}
