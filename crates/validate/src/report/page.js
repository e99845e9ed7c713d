"use strict";
(() => {
  const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);

  // A chart waits in a template until it comes into view.
  const draw = (figure) => {
    const template = figure.querySelector("template");
    if (!template) return;
    figure.querySelector(".drawn").replaceChildren(template.content);
    template.remove();
  };
  const watcher = "IntersectionObserver" in window
    ? new IntersectionObserver((entries) => {
        for (const entry of entries) {
          if (entry.isIntersecting) { draw(entry.target); watcher.unobserve(entry.target); }
        }
      }, { rootMargin: "600px 0px" })
    : null;
  const figures = all("figure");
  // A few are drawn at once.
  for (const figure of figures) { if (watcher && figures.length > 24) watcher.observe(figure); else draw(figure); }
  window.addEventListener("beforeprint", () => all("figure").forEach(draw));

  // So does what is rarely read, until it is opened.
  for (const more of all("details.more")) {
    more.addEventListener("toggle", () => {
      const template = more.querySelector("template");
      if (template) template.replaceWith(template.content);
    });
  }

  // Links lead into closed sections, too.
  const reveal = () => {
    let target = null;
    try { target = byId(decodeURIComponent(location.hash.slice(1))); } catch { return; }
    if (!target) return;
    for (let at = target; at; at = at.parentElement) { if (at.tagName === "DETAILS") at.open = true; }
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();

  const columns = all("details.column");
  byId("open").addEventListener("click", () => columns.forEach((column) => { if (!column.hidden) column.open = true; }));
  byId("close").addEventListener("click", () => columns.forEach((column) => { column.open = false; }));

  const search = byId("search");
  const failed = byId("failed");
  const found = byId("found");
  const entries = new Map(all("nav.index [data-for]").map((entry) => [entry.dataset.for, entry]));
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const column of columns) {
      const fits = words.every((word) => column.dataset.words.includes(word)) && (!failed.checked || column.dataset.verdict === "fail");
      column.hidden = !fits;
      const entry = entries.get(column.id);
      if (entry) entry.hidden = !fits;
      if (fits) shown += 1;
    }
    found.textContent = words.length || failed.checked ? `${shown} of ${columns.length} columns` : "";
  };
  search.addEventListener("input", filter);
  failed.addEventListener("change", filter);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "Escape" && document.activeElement === search) {
      search.value = "";
      filter();
    }
  });

  // On a narrow screen the verdict comes before the index.
  if (matchMedia("(max-width: 60rem)").matches) byId("contents").open = false;

  byId("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });
})();
