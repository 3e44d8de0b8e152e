// What only a script can do; every page works without it.
"use strict";

// Nobody looks at a hidden page, so it asks for nothing, and catches up once it is seen again.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.matches("[data-poll]")) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.querySelectorAll("[data-poll][hx-get]").forEach((one) => htmx.trigger(one, "wake"));
});

// What has changed is said once, not with every look.
let said = document.querySelector("[data-said]")?.dataset.said;
const say = (text) => { document.getElementById("live").textContent = text; };
document.addEventListener("htmx:afterSwap", () => {
  const now = document.querySelector("[data-said]")?.dataset.said;
  if (now && now !== said) say(now);
  said = now;
});
for (const name of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(name, () => say("This page could not be brought up to date; it tries again."));
}

// A page out of the browser's memory may be somebody else's by now.
window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent).then(() => say("Copied."));
});

// Decisions one after the other: keys count only while the focus is in a row of them (WCAG 2.1.4).
const CHOICES = { k: "keep", r: "revoke", l: "change" };
document.addEventListener("keydown", (event) => {
  const row = event.target.closest("[data-decisions] tbody tr");
  if (!row || event.target.matches("select") || !CHOICES[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
  const radio = row.querySelector(`input[value="${CHOICES[event.key]}"]`);
  if (!radio) return;
  event.preventDefault();
  radio.checked = true;
  say(`${row.querySelector("legend").textContent}: ${radio.value}`);
  const next = radio.value === "change" ? row.querySelector("select") : row.nextElementSibling?.querySelector("input[type=radio]");
  (next ?? radio).focus();
});

// Who chooses a role wants the access lowered to it.
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-decisions] tbody select")) return;
  event.target.closest("tr").querySelector('input[value="change"]').checked = true;
});
