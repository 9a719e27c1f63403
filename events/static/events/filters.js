// The filters are a plain GET form. With scripts, choosing a city or a date asks at once, and empty fields stay out of
// the address so that a filtered page has one address in every cache.
for (const form of document.querySelectorAll("[data-filters]")) {
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) form.requestSubmit();
  });
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
}
