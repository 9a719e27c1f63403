// Share by the system's own sheet where there is one, else copy the address.
for (const button of document.querySelectorAll("[data-share]")) {
  const { share: url, shareTitle: title } = button.dataset;
  if (!navigator.share && !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (navigator.share) {
      await navigator.share({ url, title }).catch(() => {}); // Closing the sheet is not an error.
      return;
    }
    const text = button.querySelector("[data-share-text]");
    const before = text.textContent;
    try {
      await navigator.clipboard.writeText(url);
      text.textContent = "Link copied";
    } catch {
      text.textContent = url;
      return;
    }
    setTimeout(() => (text.textContent = before), 3000);
  });
}
