// Makes pages nicer; all of them work without it.
"use strict";

/** Adds a button that copies the text of a field. */
for (const copied of document.querySelectorAll("input.copy")) {
  if (navigator.clipboard === undefined) break;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  const show = (text) => {
    button.textContent = text;
  };
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(copied.value).then(
      () => show("Copied"),
      () => show("Not copied"),
    );
    setTimeout(show, 2000, "Copy");
  });
  copied.after(" ", button);
}

/** Marks the line that the address names, or the lines of `#L3-L9`. */
function markLines() {
  for (const line of document.querySelectorAll(".numbers .marked")) line.classList.remove("marked");
  const [, first, last = first] = /^#L(\d+)(?:-L(\d+))?$/.exec(location.hash) ?? [];
  if (first === undefined) return;
  for (let line = Number(first); line <= Math.min(Number(last), Number(first) + 5000); line++) {
    document.getElementById(`L${line}`)?.classList.add("marked");
  }
  if (last !== first) document.getElementById(`L${first}`)?.scrollIntoView({ block: "center" });
}
addEventListener("hashchange", markLines);
markLines();

/** A click with the shift key makes the address name all lines from the one before. */
document.querySelector(".numbers")?.addEventListener("click", (event) => {
  const [, from] = /^#L(\d+)/.exec(location.hash) ?? [];
  const [, to] = /^L(\d+)$/.exec(event.target.id) ?? [];
  if (!event.shiftKey || from === undefined || to === undefined) return;
  event.preventDefault();
  const [first, last] = [Number(from), Number(to)].sort((a, b) => a - b);
  location.hash = `#L${first}-L${last}`;
});

/** `/` goes to the field for a revision or a search, as on other hosts. */
addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(?:INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? "")) return;
  const field = document.querySelector('main input:not([type="hidden"]):not(.copy)');
  if (field === null) return;
  event.preventDefault();
  field.focus();
  field.select();
});

/** Says of days how long ago they were. */
for (const time of document.querySelectorAll("time.when[datetime]")) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time.dateTime)) / 1000);
  if (Number.isNaN(seconds)) continue;
  const [length, unit] = [
    [31536000, "year"],
    [2592000, "month"],
    [604800, "week"],
    [86400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ].find(([least]) => seconds >= least) ?? [1, ""];
  const count = Math.floor(seconds / length);
  time.textContent = unit === "" ? "just now" : `${count} ${unit}${count === 1 ? "" : "s"} ago`;
}

/** Offers branches and tags for the field of a revision, those whose names have what was written. */
const field = document.querySelector('form.revision input[name="go"]');
if (field !== null) {
  const list = document.createElement("datalist");
  list.id = "names";
  field.after(list);
  field.setAttribute("list", list.id);
  const base = field.form.action.replace(/\/[^/]*$/, "");
  let asked;
  let timer;
  const load = async () => {
    const word = field.value === field.defaultValue ? "" : field.value;
    if (word === asked) return;
    asked = word;
    const names = [];
    for (const kind of ["branches", "tags"]) {
      const answer = await fetch(`${base}/${kind}?q=${encodeURIComponent(word)}`, { headers: { Accept: "text/html" } });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const cell of page.querySelectorAll(".refs .name bdi")) names.push(cell.textContent);
    }
    if (word !== asked) return;
    list.replaceChildren(...names.map((name) => new Option("", name)));
  };
  // A field that offers nothing is still a field.
  const offer = () => {
    load().catch(() => (asked = undefined));
  };
  field.addEventListener("focus", offer);
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(offer, 200);
  });
}

/** Opens the folded file that the address names. */
const openNamed = () => {
  const named = location.hash === "" ? null : document.getElementById(location.hash.slice(1));
  if (named?.tagName === "DETAILS") named.open = true;
};
addEventListener("hashchange", openNamed);
openNamed();
