// The page: which conversation the address names, and who tells whom.

import { models, showUsage, showUser } from "./account.js";
import { $, h } from "./dom.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Header } from "./header.js";
import { note } from "./message.js";
import { onDrop } from "./picker.js";
import { Sidebar } from "./sidebar.js";
import { openSource } from "./source.js";
import { Start } from "./start.js";
import { Thread } from "./thread.js";
import { inWords } from "./words.js";

/** Run something that may fail, and say so where the user looks. */
const attempt = (promise) => promise.catch((error) => error.name === "AbortError" || tell(error));

const composer = new Composer({ onSend: send, onStop: () => conversation.stop() });
const thread = new Thread($("#thread"), {
  edit: (question, text) => attempt(conversation.edit(question, text)),
  regenerate: (reply) => attempt(conversation.regenerate(reply)),
  switchTo: (id) => attempt(conversation.switchTo(id)),
  rate: (reply, feedback) => attempt(conversation.rate(reply, feedback)),
  openSource,
  isGrounded: () => Boolean(conversation.info?.document_ids),
});
const conversation = new Conversation({
  thread,
  composer,
  earlier: $("#earlier"),
  tell,
  onInfo: (info) => header.show(info),
  onBegun: begun,
  onLeft: () => go("/", { replace: true }),
  onTurn: () => {
    sidebar.load({ keep: true });
    showUsage().catch(() => {}); // the next turn shows it
  },
});
const header = new Header({ conversation, tell, onDeleted: () => (sidebar.load({ keep: true }), go("/")) });
const sidebar = new Sidebar();
const start = new Start((question) => send(question));

/** Say what went wrong above the box, with something to do about it; null takes it away. */
function tell(error, { label = "Dismiss", act = () => composer.focus() } = {}) {
  const words = error && inWords(error);
  const button = h("button", { type: "button", onclick: () => (tell(null), act()) }, label);
  const said = words && note("error", words.title, words.detail, h("div", { class: "buttons" }, button));
  $("#notice").replaceChildren(...(said ? [said] : []));
}

/** Ask; false when it cannot be asked yet. */
function send(text) {
  if (conversation.info) {
    attempt(conversation.send(text));
    return true;
  }
  const fields = location.pathname === "/" && start.fields();
  if (!fields) return false; // a choice is missing, or a conversation is not there yet
  start.hide();
  attempt(conversation.start(text, fields));
  return true;
}

/** A new conversation has got its number. */
function begun(id) {
  history.replaceState(null, "", `/c/${id}`);
  sidebar.load({ keep: true }).then(() => {
    sidebar.mark(id);
    conversation.called(id, sidebar.title(id));
  });
}

/** Show what the address names. */
async function show() {
  const id = location.pathname.match(/^\/c\/(\d+)$/)?.[1];
  tell(null);
  composer.form.hidden = false;
  sidebar.mark(id);
  start.hide();
  conversation.leave();
  if (!id) {
    header.show(null);
    await start.show();
    return;
  }
  try {
    await conversation.open(id);
  } catch (error) {
    if (error.name === "AbortError") return;
    header.show(null);
    $("#title").textContent = "Not opened";
    composer.form.hidden = true;
    const isThere = inWords(error).mayPass;
    tell(error, isThere ? { label: "Try again", act: show } : { label: "New conversation", act: () => go("/") });
  }
}

function go(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", path);
  const shown = show();
  if (matchMedia("(pointer: fine)").matches) composer.focus();
  return shown;
}

// Links between conversations are followed here, unless they are to open elsewhere.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button);
  if (!link || !isPlain || link.origin !== location.origin || !/^\/(c\/\d+)?$/.test(link.pathname) || link.hash) return;
  event.preventDefault();
  go(link.pathname);
});
addEventListener("popstate", show);
// Another window may have gone on meanwhile.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  sidebar.load({ keep: true });
  attempt(conversation.refresh());
});
onDrop(async (files) => {
  if (conversation.info?.document_ids) return header.chooseDocuments(files);
  if (location.pathname !== "/") await go("/");
  start.upload(files);
});

attempt(show());
sidebar.load();
attempt(models().then((all) => composer.offer(all)));
showUser().catch(() => {}); // what else fails says why
showUsage().catch(() => {});
