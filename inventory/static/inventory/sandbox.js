// "Use" beside a test card fills the form with it.

const field = (name) => document.getElementById(name);

for (const button of document.querySelectorAll("[data-card]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    field("number").value = button.dataset.card;
    field("expiry").value = button.dataset.expiry;
    field("cvc").value = "123";
    field("number").scrollIntoView({ block: "center" });
    document.querySelector("button[value=pay]").focus({ preventScroll: true });
  });
}

field("number").addEventListener("input", (event) => {
  const digits = event.target.value.replace(/\D/g, "").slice(0, 16);
  if (event.target.selectionStart === event.target.value.length) event.target.value = digits.replace(/(\d{4})(?=\d)/g, "$1 ");
});
