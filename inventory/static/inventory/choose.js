// Says how many seats are ticked, and brings a refusal or a new hold into view. The page works without it.

for (const form of document.querySelectorAll("[data-count-seats]")) {
  const count = form.querySelector("[data-count]");
  const tell = () => {
    const ticked = form.querySelectorAll("input[name=seat]:checked:not(:disabled)").length;
    count.textContent = ticked ? `${ticked} ${ticked === 1 ? "seat" : "seats"} ticked` : "";
  };
  form.addEventListener("change", tell);
  tell();
}

document.getElementById("problem")?.scrollIntoView({ block: "center" });
