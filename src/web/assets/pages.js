// Makes pages nicer; all of them work without it.
"use strict";

/** Adds a button that copies the text of a field. */
for (const field of document.querySelectorAll("input.copy")) {
  if (navigator.clipboard === undefined) break;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  const show = (text) => {
    button.textContent = text;
  };
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(field.value).then(
      () => show("Copied"),
      () => show("Not copied"),
    );
    setTimeout(show, 2000, "Copy");
  });
  field.after(" ", button);
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
