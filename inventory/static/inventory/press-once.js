// Keeps a form[data-press-once] from being sent twice by a double click. The server would make nothing twice anyway;
// this only spares people the wait for a second answer. Coming back by the back button wakes the buttons up again.

function start(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
  });
}

function wake() {
  for (const form of document.querySelectorAll("form[data-press-once]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  }
}

document.querySelectorAll("form[data-press-once]").forEach(start);
addEventListener("pageshow", wake);
