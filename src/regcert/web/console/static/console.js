// The console without this file does all it does; with it, hands stay on the keyboard and times stay true.

const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const help = document.getElementById("help");
const all = (selector) => [...document.querySelectorAll(selector)];

/** Word a span as the server does (templates/words.html, `span`). */
function words(span) {
  const [unit, name] = span < HOUR ? [MINUTE, "minute"] : span < 2 * DAY ? [HOUR, "hour"] : [DAY, "day"];
  const number = Math.floor(span / unit);
  return `${number} ${name}${number === 1 ? "" : "s"}`;
}

// The host's clock goes on from when it drew the page: the reader's may be wrong.
const drawn = Date.parse(document.querySelector("[data-now]")?.dateTime ?? new Date().toISOString());
const opened = Date.now();

function refreshTimes() {
  for (const time of all("time[data-ago]")) {
    const span = drawn + (Date.now() - opened) - Date.parse(time.dateTime);
    const text = span < MINUTE ? "just now" : `${words(span)} ago`;
    if (time.textContent !== text) time.textContent = text;
  }
}

/** Move the focus along the list of incidents; it stops at either end. */
function step(by) {
  const rows = all("[data-row]");
  if (!rows.length) return;
  const here = rows.indexOf(document.activeElement);
  const next = here < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(here + by, 0), rows.length - 1);
  rows[next].focus();
  rows[next].closest("li").scrollIntoView({ block: "nearest" });
}

const keys = {
  j: () => step(1),
  k: () => step(-1),
  b: () => document.querySelector("[data-back]")?.click(),
  "?": () => help?.showModal(),
};

// WCAG 2.1.4: whoever dictates instead of typing must be able to switch single keys off.
const remembered = {
  get: () => { try { return localStorage.getItem("single-keys") !== "off"; } catch { return true; } },
  set: (on) => { try { localStorage.setItem("single-keys", on ? "on" : "off"); } catch { /* private window */ } },
};
let singleKeys = remembered.get();

document.addEventListener("keydown", (event) => {
  if (!singleKeys || help?.open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) return;
  const act = keys[event.key];
  if (act) { event.preventDefault(); act(); }
});

const toggle = document.querySelector("[data-single-keys]");
if (toggle) {
  toggle.checked = singleKeys;
  toggle.addEventListener("change", () => { singleKeys = toggle.checked; remembered.set(singleKeys); });
}

async function copy(button) {
  const status = document.querySelector("[data-status]");
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
    status.textContent = "Copied.";
  } catch {
    status.textContent = button.textContent = "Not allowed";
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.copy !== undefined) copy(button);
  if (button.dataset.help !== undefined) help.showModal();
  if (button.dataset.print !== undefined) print();
});

for (const one of all("[data-help], [data-print], .copies")) one.hidden = false;
refreshTimes();
setInterval(refreshTimes, 30_000);
