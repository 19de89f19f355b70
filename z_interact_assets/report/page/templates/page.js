"use strict";
// What makes the page handier. Without it everything can be read.
(() => {
  const make = (tag, attributes = {}, text = "") => {
    const element = Object.assign(document.createElement(tag), attributes);
    if (text) element.textContent = text;
    return element;
  };
  const say = make("p", { className: "unseen" });
  say.setAttribute("role", "status");
  document.querySelector("main").append(say);

  // Light or dark: first as the system has it, then as asked for. Kept nowhere.
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const toggle = make("button", { type: "button", className: "theme" });
  const label = () => { toggle.textContent = isDark() ? "Light colours" : "Dark colours"; };
  toggle.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  document.querySelector("header.top").append(toggle);
  label();

  // Headers of sortable tables become buttons; the vendored script sorts and keeps aria-sort.
  for (const header of document.querySelectorAll("table.sortable thead th:not(.no-sort)")) {
    const button = make("button", { type: "button" }, header.textContent);
    header.replaceChildren(button);
  }
  document.addEventListener("sort-end", (event) => {
    const header = event.target.querySelector("th[aria-sort]");
    say.textContent = `Sorted by ${header.textContent}, ${header.getAttribute("aria-sort")}`;
  });

  // Copying a command.
  for (const box of document.querySelectorAll(".command")) {
    const button = make("button", { type: "button" }, "Copy");
    const code = box.querySelector("code");
    button.setAttribute("aria-label", `Copy the command ${code.textContent}`);
    button.addEventListener("click", async () => {
      let done = "Copied";
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        getSelection().selectAllChildren(code);
        done = "Selected: press Ctrl+C";
      }
      button.textContent = done;
      say.textContent = done;
      setTimeout(() => { button.textContent = "Copy"; }, 3000);
    });
    box.append(button);
  }

  // Filtering what needs a hand. Sorting replaces the table's body, so rows are looked up anew.
  const form = document.querySelector("form.filter");
  if (form) {
    const table = document.getElementById("attention-table");
    const search = document.getElementById("search");
    const problem = document.getElementById("problem");
    const shown = document.getElementById("shown");
    const all = table.tBodies[0].rows.length;
    const texts = new Map([...table.tBodies[0].rows].map((row) => [row, row.textContent.toLowerCase()]));
    const filter = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let count = 0;
      for (const [row, text] of texts) {
        const fits = (!problem.value || row.dataset.problem === problem.value) && words.every((word) => text.includes(word));
        row.hidden = !fits;
        count += fits;
      }
      shown.textContent = `${count.toLocaleString("en")} of ${all.toLocaleString("en")} shown`;
    };
    form.addEventListener("input", filter);
    form.addEventListener("reset", () => setTimeout(filter));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
  }

  // What a mark of a chart stands for, under the pointer. The tables say the same.
  const tip = make("div", { className: "tip", hidden: true });
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  document.addEventListener("pointermove", (event) => {
    const mark = event.target.closest?.(".chart svg [aria-label][aria-roledescription]");
    const said = mark && !mark.matches("[role='graphics-object']") && mark.getAttribute("aria-label");
    tip.hidden = !said;
    if (!said) return;
    tip.textContent = said;
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    tip.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, event.clientY - tip.offsetHeight - 12)}px)`;
  });
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });

  // On paper everything is open.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
})();
