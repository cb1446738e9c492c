// The page around its parts: which section is being read, and buttons that copy text.

import { all, setText } from "./dom.js";

/** Mark the section that is being read in the navigation. */
export function followSections() {
  const links = all("nav a");
  const mark = (id) => {
    for (const link of links)
      if (link.hash === `#${id}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
  };
  const sections = all("section[id]");
  const shown = new Set();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries)
        if (isIntersecting) shown.add(target.id);
        else shown.delete(target.id);
      const first = sections.find(({ id }) => shown.has(id));
      if (first) mark(first.id);
    },
    { rootMargin: "0px 0px -70% 0px" },
  );
  mark(sections[0].id);
  for (const section of sections) observer.observe(section);
}

/** Let buttons of the class `copy` copy the text before them. */
export function enableCopying() {
  for (const button of all(".copy"))
    button.addEventListener("click", async () => {
      const source = button.previousElementSibling;
      try {
        await navigator.clipboard.writeText(source.textContent);
        setText(button, "Copied");
      } catch {
        getSelection().selectAllChildren(source); // the browser forbids it: the reader copies
        setText(button, "Selected");
      }
    });
}
