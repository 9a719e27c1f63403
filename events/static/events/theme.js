// Light or dark before the first paint: runs in <head>, blocking and tiny. The choice lives in localStorage
// because cached pages carry no cookie; without a choice the system's preference holds.
(() => {
  const root = document.documentElement;
  const stored = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // Storage may be forbidden; the toggle then lasts for this page only.
    }
  };
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  root.dataset.scripts = ""; // Keeps the toggle's place free until it is there.
  apply(stored());
  addEventListener("storage", (event) => event.key === "theme" && apply(event.newValue));
  addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.setAttribute("aria-pressed", String(isDark()));
      button.addEventListener("click", () => {
        const theme = isDark() ? "light" : "dark";
        apply(theme);
        button.setAttribute("aria-pressed", String(theme === "dark"));
        try {
          localStorage.setItem("theme", theme);
        } catch {
          // Kept for this page only.
        }
      });
    }
  });
})();
