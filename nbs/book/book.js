// What the pages of the book do: above all the search, without a server. words.js holds the text of every section.
"use strict";
const field = document.getElementById("search");
const results = document.getElementById("results");
const page = document.getElementById("page");
let loading;

function loadWords() {
  loading ??= new Promise((done) => {
    const script = document.createElement("script");
    script.src = "words.js"; // a script and not data, since pages that were opened from a disk may load nothing else
    script.onload = done;
    document.head.append(script);
  });
  return loading;
}

function score(section, words) {
  let sum = 0;
  for (const word of words) {
    const found = 8 * section.low[0].includes(word) + 4 * section.low[1].includes(word) + section.low[2].includes(word);
    if (!found) return 0;
    sum += found;
  }
  return sum;
}

function excerpt(section, words) {
  const at = Math.max(0, section.low[2].indexOf(words[0]) - 60);
  const line = document.createElement("p");
  const text = (at ? "… " : "") + section.text.slice(at, at + 200) + " …";
  const pattern = new RegExp(words.map((word) => word.replace(/[\\^$.*+?()[\]{}|\/]/g, "\\$&")).join("|"), "giu");
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    const mark = document.createElement("mark");
    mark.textContent = match[0];
    line.append(text.slice(from, match.index), mark);
    from = match.index + match[0].length;
  }
  line.append(text.slice(from));
  return line;
}

async function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  results.hidden = !words.length;
  page.hidden = !results.hidden;
  if (!words.length) return;
  await loadWords();
  for (const section of WORDS) section.low ??= [section.page, section.title, section.text].map((t) => t.toLowerCase());
  const found = WORDS.map((section) => [score(section, words), section]).filter(([points]) => points);
  found.sort(([a], [b]) => b - a);
  const count = results.querySelector("[role=status]");
  count.textContent = found.length ? `${found.length} sections` : "Nothing found; fewer words find more.";
  const articles = found.slice(0, 30).map(([, section]) => {
    const link = document.createElement("a");
    link.href = section.url;
    link.textContent = section.title === section.page ? section.page : `${section.page}: ${section.title}`;
    link.addEventListener("click", () => { field.value = ""; search(); });
    const article = document.createElement("article");
    article.append(link, excerpt(section, words));
    return article;
  });
  results.replaceChildren(count, ...articles);
}

field.addEventListener("focus", loadWords);
field.addEventListener("input", search);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { field.value = ""; search(); }
  if (event.key === "/" && document.activeElement !== field) { event.preventDefault(); field.focus(); }
});

const here = document.querySelector("nav [aria-current]");
if (here) here.closest("nav").scrollTop = here.offsetTop - 200; // the chapter is in sight in the list of chapters

for (const part of document.querySelectorAll("pre, table, .output")) {
  if (part.scrollWidth > part.clientWidth) part.tabIndex = 0; // so that the arrow keys can scroll it
}
